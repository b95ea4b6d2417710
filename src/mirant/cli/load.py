"""``mirant load``: putting load on any Bayeux server, and checking that nothing was lost."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from mirant.cli.values import duration, header, json_object, report_file
from mirant.load import report_html, report_json, report_terminal
from mirant.load.crew import ClientsMissing, Interrupted, WorkerFailed
from mirant.load.plan import Plan
from mirant.load.progress import Progress
from mirant.load.scenario import Scenario, ScenarioInvalid
from mirant.load.summary import Summary
from mirant.load.target import LONG_POLLING, WEBSOCKET, Target, TargetInvalid

_PAUSE: Final = 0.01  # seconds, the default of CometD's load client
_INTERRUPTED: Final = 130  # 128 + SIGINT, the convention of shells
_COUNT: Final = click.IntRange(min=1)


@click.command(context_settings={"show_default": True})
@click.argument("url")
@click.option(
    "--transport",
    type=click.Choice([WEBSOCKET, LONG_POLLING]),
    default=WEBSOCKET,
    help="The transport of the clients.",
)
@click.option("--ack", is_flag=True, help="Ask for CometD's acknowledge extension.")
@click.option("--clients", type=_COUNT, default=1000, metavar="N", help="How many clients there are.")
@click.option("--rooms", type=_COUNT, default=100, metavar="N", help="Chat rooms, one channel each.")
@click.option("--rooms-per-client", type=_COUNT, default=10, metavar="N", help="Rooms that a client is in.")
@click.option("--batch-size", type=_COUNT, default=10, metavar="N", help="Messages in a batch, one request.")
@click.option(
    "--batch-pause",
    type=duration,
    default=None,
    metavar="TIME",
    help="Time from one batch to the next.  [default: 10ms]",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Messages published a second, instead of --batch-pause.",
)
@click.option(
    "--message-size",
    type=click.IntRange(min=0),
    default=50,
    metavar="BYTES",
    help="Text of a message, inside about 110 bytes of fields.",
)
@click.option("--duration", type=duration, default="10s", metavar="TIME", help="How long to measure.")
@click.option(
    "--warm-up",
    type=duration,
    default="2s",
    metavar="TIME",
    help="How long to publish before; checked but not timed.",
)
@click.option(
    "--ramp-up", type=duration, default="2s", metavar="TIME", help="Time over which the clients connect."
)
@click.option(
    "--patience",
    type=duration,
    default="10s",
    metavar="TIME",
    help="Wait so long without progress before giving up.",
)
@click.option(
    "--search", is_flag=True, help="Find the highest rate with a p99 under --p99, beginning at --rate."
)
@click.option(
    "--p99",
    "bound",
    type=duration,
    default="100ms",
    metavar="TIME",
    help="Bound of the 99th percentile for --search.",
)
@click.option("--workers", type=_COUNT, default=1, metavar="N", help="Processes of the generator.")
@click.option(
    "--channel",
    default="/bench/a",
    metavar="NAME",
    help="The rooms are below it. Give each generator its own.",
)
@click.option("--randomize", is_flag=True, help="Let random clients publish, not one after the other.")
@click.option(
    "--seed",
    type=int,
    default=1,
    metavar="N",
    help="Decides who is in which room, and what is published where.",
)
@click.option(
    "--ext",
    type=json_object,
    default="{}",
    metavar="JSON",
    help="Sent as ext with each handshake, such as credentials.",
)
@click.option(
    "--header",
    "headers",
    type=header,
    multiple=True,
    metavar="'NAME: VALUE'",
    help="Sent with each request; may be repeated.",
)
@click.option("--insecure", is_flag=True, help="Accept any TLS certificate.")
@click.option(
    "--json",
    "json_file",
    type=report_file,
    metavar="FILE",
    help="Write the report as JSON.",
)
@click.option(
    "--html",
    "html_file",
    type=report_file,
    metavar="FILE",
    help="Write the report as one web page with plots.",
)
def load(**options: Any) -> None:
    """Put load on the Bayeux server at URL, time every delivery, and check that all of them arrive.

    It plays the chat rooms of CometD's own benchmark: each client joins some rooms at random; then batches
    of messages are published to rooms at random, at a steady rate whether or not the server keeps up.
    Latency counts from when a message was due. Each message must reach everyone in its room, once, and each
    publisher's messages in order: the exit code is 0 only then. Duplicates are found until half a second
    after the last delivery.

    \b
    CometD's reference run, about 100,000 deliveries a second:
      mirant load http://127.0.0.1:8080/cometd --html report.html
    A small one over long-polling:
      mirant load http://127.0.0.1:8080/cometd --transport long-polling --clients 100 --rate 50
    The highest rate with 99 % of the deliveries within 50 ms:
      mirant load http://127.0.0.1:8080/cometd --search --p99 50ms

    TIME has a unit: 500us, 10ms, 30s, 2m. Ctrl-C ends the run and reports what there is.
    """
    plan = _plan(options)
    progress = Progress(
        lambda text: click.echo(text, err=True, nl=False), time.monotonic, is_terminal=sys.stderr.isatty()
    )
    try:
        with _interruptible(progress):
            summary = plan.carry_out(progress)
    except Interrupted:
        click.echo("Interrupted before there was anything to report.", err=True)
        sys.exit(_INTERRUPTED)
    except (ClientsMissing, WorkerFailed) as error:
        raise click.ClickException(f"{error}") from None
    finally:
        progress.finish()
    is_written = _report(summary, options["json_file"], options["html_file"])
    is_success = summary.is_success and is_written
    sys.exit(1 if not is_success else _INTERRUPTED if progress.interrupts else 0)


def _report(summary: Summary, json_file: Path | None, html_file: Path | None) -> bool:
    """Print the report and write it; return whether all files could be written."""
    click.echo(report_terminal.render(summary), nl=False)
    files: list[tuple[Path, bytes]] = []
    if json_file is not None:
        files.append((json_file, report_json.render(summary)))
    if html_file is not None:
        files.append((html_file, report_html.render(summary).encode("utf-8")))
    written = [_write(file, content) for file, content in files]
    return all(written)


def _write(file: Path, content: bytes) -> bool:
    try:
        file.write_bytes(content)
    except OSError as error:
        click.echo(f"Error: Cannot write {file}: {error.strerror}.", err=True)
        return False
    click.echo(f"The report is also in {file}")
    return True


def _scenario(options: dict[str, Any]) -> Scenario:
    channel = options["channel"].rstrip("/")
    if not channel.startswith("/") or "*" in channel:
        raise click.BadParameter(f"{channel!r} should be a channel such as /bench/a.", param_hint="--channel")
    try:
        return Scenario(
            clients=options["clients"],
            rooms=options["rooms"],
            rooms_per_client=options["rooms_per_client"],
            batch_size=options["batch_size"],
            message_size=options["message_size"],
            channel=channel,
            random_publishers=options["randomize"],
            seed=options["seed"],
        )
    except ScenarioInvalid as error:
        raise click.UsageError(f"{error}.") from None


def _target(options: dict[str, Any]) -> Target:
    try:
        return Target(
            url=options["url"],
            transport=options["transport"],
            ack=options["ack"],
            ext=options["ext"],
            headers=options["headers"],
            verify_tls=not options["insecure"],
        )
    except TargetInvalid as error:
        raise click.UsageError(f"{error}.") from None


def _plan(options: dict[str, Any]) -> Plan:
    return Plan(
        scenario=_scenario(options),
        target=_target(options),
        workers=options["workers"],
        pause=_pause(options),
        duration=options["duration"],
        warm_up=options["warm_up"],
        ramp_up=options["ramp_up"],
        patience=options["patience"],
        bound=options["bound"] if options["search"] else None,
    )


def _pause(options: dict[str, Any]) -> float:
    pause, rate = options["batch_pause"], options["rate"]
    if pause is not None and rate is not None:
        raise click.UsageError("--batch-pause and --rate say the same; give one of them.")
    if rate is not None:
        pause = options["batch_size"] / rate
    pause = _PAUSE if pause is None else pause
    if pause < 1e-6:
        raise click.UsageError("A batch each microsecond is the most there is. Give a larger --batch-size.")
    if pause > options["duration"]:
        raise click.UsageError(
            f"A batch every {pause:g} s is none in {options['duration']:g} s. "
            "Give a longer --duration, a higher --rate or a smaller --batch-size."
        )
    return float(pause)


@contextmanager
def _interruptible(progress: Progress) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run, but not the report."""

    def interrupt(*_: object) -> None:
        progress.interrupts += 1

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
