"""What is said while a run goes on."""

from mirant.load.crew import RunState
from mirant.load.histogram import Histogram
from mirant.load.outcome import Outcome, Timeline
from mirant.load.progress import Progress
from mirant.load.scenario import Scenario
from mirant.load.schedule import Pace


class Screen:
    """A progress, what it wrote and the clock it looks at."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.now = 0.0
        self.written: list[str] = []
        self.progress = Progress(self.written.append, lambda: self.now, is_terminal=is_terminal)
        self.outcome = Outcome(
            scenario=Scenario(), pace=Pace(start=0, pause=1, batches=1), timeline=Timeline(0, 1)
        )

    def play(self, at: float, delivered: int) -> None:
        """Tell of a run *at* some time."""
        self.now = at
        state = RunState(
            ready=1_000,
            published=delivered // 100,
            delivered=delivered,
            outstanding=7,
            is_done=False,
            busy=0.5,
        )
        self.progress.playing(self.outcome, state)


def test_a_log_gets_a_line_now_and_then_with_the_rate_since_the_last() -> None:
    screen = Screen(is_terminal=False)
    for second in range(11):
        screen.play(second, 1_000 * second)
        screen.outcome.latency = Histogram.of([(2_500, 10)])

    assert screen.written == [
        "10 published, 1,000 delivered, 0/s, 7 on their way, p50 2.50 ms, p99 2.50 ms, generator 50 %\n",
        "60 published, 6,000 delivered, 1,000/s, 7 on their way, p50 2.50 ms, p99 2.50 ms, generator 50 %\n",
    ]


def test_a_terminal_gets_one_line_that_is_written_over() -> None:
    screen = Screen(is_terminal=True)
    screen.play(1, 100)
    screen.play(1.2, 200)
    screen.play(1.6, 300)
    screen.progress.finish()

    assert len(screen.written) == 3
    assert all(text.startswith("\r\x1b[K") and "\n" not in text for text in screen.written)
    assert "warming up" in screen.written[0]
    assert screen.written[-1] == "\r\x1b[K"


def test_a_search_says_which_rate_it_tries() -> None:
    screen = Screen(is_terminal=False)
    screen.progress.begin("1,000/s: ")
    screen.play(1, 100)

    assert screen.written[0].startswith("1,000/s: 1 published")


def test_clients_are_counted_as_they_come() -> None:
    screen = Screen(is_terminal=False)
    for ready in (0, 3, 8, 10):
        screen.progress.gathering(ready, 10)

    assert screen.written == ["0 of 10 clients are ready\n", "10 of 10 clients are ready\n"]
