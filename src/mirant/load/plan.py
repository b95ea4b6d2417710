"""The plan of a run or a search, and how a crew carries it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mirant.load.crew import ClientsMissing, Crew, Interrupted, WorkerFailed, crew
from mirant.load.outcome import Outcome
from mirant.load.progress import Progress
from mirant.load.scenario import Scenario
from mirant.load.schedule import SECOND
from mirant.load.search import Search, Trial, fault_of
from mirant.load.summary import Summary
from mirant.load.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run at one rate, or the search for the highest. Times are seconds."""

    scenario: Scenario
    target: Target
    workers: int
    pause: float  # from one batch to the next; a search begins with it
    duration: float
    warm_up: float
    ramp_up: float
    patience: float
    bound: float | None = None  # search for the highest rate with a p99 of this or less

    def carry_out(self, progress: Progress) -> Summary:
        """Bring the clients, publish, and return what is to be reported. The workers end with it.

        A search that has tried a rate always returns; `Summary.ended_by` says what stopped it.

        Raises:
            ClientsMissing: not all clients got ready.
            Interrupted: the user asked to stop before there was anything to report.
            WorkerFailed: a worker has ended before its time.
        """
        began = datetime.now().astimezone()
        with crew(self.scenario, self.target, min(self.workers, self.scenario.clients), progress) as ours:
            ours.gather(self.ramp_up, self.patience)
            if self.bound is None:
                progress.begin()
                return self._summary(began, self._play(ours, self.pause))
            return self._search(ours, progress, began, round(self.bound * SECOND))

    def _play(self, ours: Crew, pause: float) -> Outcome:
        return ours.play(
            pause=pause * SECOND,
            batches=max(1, round((self.warm_up + self.duration) / pause)),
            warm_up=self.warm_up,
            patience=self.patience,
        )

    def _search(self, ours: Crew, progress: Progress, began: datetime, bound: int) -> Summary:
        trials: list[Trial] = []
        ended_by = ""
        try:
            for trial in self._trials(ours, progress, bound):
                trials.append(trial)
                if not trial.outcome.delivered:
                    ended_by = f"Nothing was delivered at {trial.rate:,.0f} a second: the server is silent."
                    break
        except ClientsMissing as error:
            ended_by = f"Not all clients got back to the server: it is gone, or does not recover. {error}"
        except WorkerFailed as error:
            ended_by = str(error)
            if not trials:
                raise
        except Interrupted:
            pass
        if not trials:
            raise Interrupted
        good = [trial for trial in trials if trial.is_good]
        best = max(good, key=lambda trial: trial.rate) if good else trials[-1]
        summary = self._summary(began, best.outcome)
        return replace(summary, trials=tuple(trials), bound=bound, ended_by=ended_by)

    def _trials(self, ours: Crew, progress: Progress, bound: int) -> Iterator[Trial]:
        size = self.scenario.batch_size
        search = Search(size / self.pause)
        while (rate := search.next_rate()) is not None and not progress.interrupts:
            progress.begin(f"{rate:,.0f}/s: ")
            outcome = self._play(ours, size / rate)
            if outcome.interrupted:
                return
            trial = Trial(rate, outcome, fault_of(outcome, bound))
            search.record(rate, is_good=trial.is_good)
            yield trial
            # Overload may have cost some clients their sessions.
            ours.gather(0.0, self.patience)

    def _summary(self, began: datetime, outcome: Outcome) -> Summary:
        workers = min(self.workers, self.scenario.clients)
        return Summary(target=self.target, workers=workers, outcome=outcome, began=began)
