"""`python -m autograder.proof try|variants|mutants|seeds [TOPIC ...]`: tests the checks, records the outcome."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from autograder.assignment import Assignment
from autograder.authoring.command import manuscripts
from autograder.proof import mutants, variants
from autograder.proof.answers import reference_answers
from autograder.proof.local import grade_locally
from autograder.proof.mutation import mutants as mutants_of
from autograder.sandbox.linux import die_with_parent
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.paths import project_root

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console()

Topics = Annotated[list[str] | None, typer.Argument(help="Topics; all that have exercises when not given.")]
Check = Annotated[bool, typer.Option("--check", help="Only say what is stale or wrong; run nothing.")]
Again = Annotated[bool, typer.Option("--all", help="Run everything, also what still holds.")]
Only = Annotated[str | None, typer.Option("--exercise", help="One exercise only.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes to use.")]


@app.command(
    "variants", epilog="Example: python -m autograder.proof variants embeddings --exercise sgns_loss"
)
def variants_command(
    topics: Topics = None, check: Check = False, again: Again = False, only: Only = None, workers: Workers = 2
) -> None:
    """Grade every known answer the whole way and write records/variants/TOPIC.json."""
    found: list[str] = []
    for assignment in _assignments(topics, only):
        path = _path(assignment, "variants")
        record = read_record(path)
        wanted = [each.id for each in assignment.exercises if only in (None, each.id)]
        if not check:
            todo = variants.cases(assignment) if again else variants.stale(assignment, record)
            todo = [case for case in todo if case.exercise in wanted]
            tasks = {case: (assignment.topic, case) for case in todo}
            for outcomes in _kept(_in_parallel(variants.grade, tasks, workers, "known answers")):
                record = variants.updated(assignment, record, outcomes)
                _write(path, record)
            record = variants.updated(assignment, record, {})
            _write(path, record)
        found += variants.problems(assignment, record, wanted)
    _say(found, "every known answer is judged as it should be")


@app.command("try", epilog="Example: python -m autograder.proof try embeddings sgns_loss")
def try_command(
    topic: Annotated[str, typer.Argument(help="A topic that has exercises.")],
    exercise: Annotated[str, typer.Argument(help="One of its exercises.")],
) -> None:
    """Run the checks on every known answer of one exercise, here and now: no sandbox, no visible tests, no record.

    For writing checks: it takes seconds where `variants` takes minutes, and tells the same about the hidden checks.
    """
    (assignment,) = _assignments([topic], exercise)
    points = assignment.exercise(exercise).points
    table = Table("known answer", "kind", "points", "failed", box=None)
    found = []
    for case in variants.cases(assignment):
        if case.exercise != exercise or case.answer is None:
            continue
        outcome = grade_locally(topic, exercise, case.answer, seed=1)
        failed = list(outcome.failed) if not outcome.died else [f"died: {outcome.died}"]
        entry = {"score": outcome.score, "failed": failed}
        wrong = variants.misjudged(case, entry, points)
        found += wrong
        mark = "[red]✗[/red]" if wrong else "[green]✓[/green]"
        table.add_row(
            f"{mark} {case.name}", case.kind, f"{outcome.score}/{points}", escape(", ".join(failed))
        )
    console.print(table)
    _say(found, f"the checks of {exercise} judge every known answer as it should be")


@app.command("mutants", epilog="Example: python -m autograder.proof mutants embeddings --check")
def mutants_command(
    topics: Topics = None, check: Check = False, again: Again = False, only: Only = None, workers: Workers = 2
) -> None:
    """Grade mutants of the references, then right answers on 500 seeds; write records/mutants/TOPIC.json."""
    found = _renewed((_run_mutants, _run_seeds), topics, check, again, only, workers)
    _say(found, "the mutants are found out, and no right answer fails on any seed")


@app.command("seeds", epilog="Example: python -m autograder.proof seeds embeddings --exercise sgns_loss")
def seeds_command(
    topics: Topics = None, check: Check = False, again: Again = False, only: Only = None, workers: Workers = 2
) -> None:
    """Only the second half of `mutants`: right answers on 500 seeds."""
    found = _renewed((_run_seeds,), topics, check, again, only, workers)
    _say(found, "no right answer fails on any seed")


def _renewed(
    parts: tuple[Callable[..., None], ...],
    topics: list[str] | None,
    check: bool,
    again: bool,
    only: str | None,
    workers: int,
) -> list[str]:
    """Bring these parts of the mutants' records up to date, unless told to `check` only; what is wrong with them."""
    found: list[str] = []
    for assignment in _assignments(topics, only):
        path = _path(assignment, "mutants")
        record = read_record(path)
        for part in () if check else parts:
            part(assignment, path, record, again=again, only=only, workers=workers)
        found += mutants.problems(assignment, record)
    return found


def _run_mutants(
    assignment: Assignment, path: Path, record: dict[str, Any], *, again: bool, only: str | None, workers: int
) -> None:
    """Grade the mutants of the references that changed; add them to the record exercise by exercise."""
    everything = [each.id for each in assignment.exercises]
    for name in everything if again else mutants.stale_mutants(assignment, record):
        if only in (None, name):
            entry = _grade_mutants(assignment, name, workers)
            record.setdefault("exercises", {}).setdefault(name, {})["mutants"] = entry
            _write(path, record)


def _grade_mutants(assignment: Assignment, exercise: str, workers: int) -> dict[str, Any]:
    """The outcome of all mutants of one reference."""
    all_of_them = {each.id: each.source for each in mutants_of(reference_answers(assignment)[exercise])}
    declared = mutants.equivalents(assignment.topic, exercise)
    if unknown := declared.keys() - all_of_them.keys():
        raise CourseError(
            f"{exercise}: no mutant is called {min(unknown)!r}; mend EQUIVALENT in known/{exercise}.py"
        )
    tasks = {
        name: (assignment.topic, exercise, all_of_them[name]) for name in all_of_them.keys() - declared.keys()
    }
    done = dict(_in_parallel(mutants.killed, tasks, workers, f"mutants of {exercise}"))
    tasks = {name: (assignment.topic, exercise, all_of_them[name]) for name in declared}
    seen = dict(_in_parallel(mutants.differs, tasks, workers, f"equivalents of {exercise}"))
    return mutants.mutants_entry(
        assignment,
        exercise,
        sorted(name for name, was_killed in done.items() if not was_killed),
        {name: declared[name] for name in sorted(seen) if seen[name] is None},
        {name: number for name, number in seen.items() if number is not None},
    )


def _run_seeds(
    assignment: Assignment, path: Path, record: dict[str, Any], *, again: bool, only: str | None, workers: int
) -> None:
    """Run the right answers that were not run as they are now; add them to the record as they end."""
    sources = mutants.right_answers(assignment)
    todo = list(sources) if again else mutants.stale_seeds(assignment, record)
    tasks = {
        (exercise, name): (assignment.topic, exercise, sources[exercise, name], mutants.SEEDS)
        for exercise, name in todo
        if only in (None, exercise)
    }
    for (exercise, name), failed in _in_parallel(
        mutants.over_seeds, tasks, workers, "right answers on many seeds"
    ):
        entry = mutants.seeds_entry(assignment, exercise, sources[exercise, name], mutants.SEEDS, failed)
        record.setdefault("exercises", {}).setdefault(exercise, {}).setdefault("seeds", {})[name] = entry
        _write(path, record)
    for exercise, held in record.get("exercises", {}).items():
        known = {name for each, name in sources if each == exercise}
        held["seeds"] = {name: held["seeds"][name] for name in sorted(held.get("seeds", {}).keys() & known)}
    _write(path, record)


def _in_parallel(
    function: Callable[..., Any], tasks: dict[Any, tuple[Any, ...]], workers: int, what: str
) -> Iterator[tuple[Any, Any]]:
    """(key, result) of each task, as they end, with a progress bar."""
    if not tasks:
        return
    context = multiprocessing.get_context("spawn")
    with (
        Progress(console=console) as progress,
        ProcessPoolExecutor(
            min(workers, os.cpu_count() or 1), mp_context=context, initializer=die_with_parent
        ) as pool,
    ):
        bar = progress.add_task(what, total=len(tasks))
        waiting = {pool.submit(function, *arguments): key for key, arguments in tasks.items()}
        try:
            for future in as_completed(waiting):
                progress.advance(bar)
                yield waiting[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _kept(results: Iterator[tuple[Any, Any]], size: int = 10) -> Iterator[dict[Any, Any]]:
    """The results in groups, so that a kill costs at most one group."""
    group: dict[Any, Any] = {}
    for key, result in results:
        group[key] = result
        if len(group) == size:
            yield group
            group = {}
    yield group


def _assignments(topics: list[str] | None, only: str | None) -> Iterator[Assignment]:
    for topic in topics or manuscripts(project_root()):
        assignment = Assignment.load(topic)
        if only is not None and only not in {each.id for each in assignment.exercises}:
            raise CourseError(
                f"{topic} has no exercise {only!r}; it has {', '.join(e.id for e in assignment.exercises)}"
            )
        yield assignment


def _path(assignment: Assignment, kind: str) -> Path:
    return assignment.root / "records" / kind / f"{assignment.topic}.json"


def read_record(path: Path) -> dict[str, Any]:
    """The record at `path`, or an empty one."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def _say(found: list[str], all_well: str) -> None:
    for sentence in found:
        console.print(f"[red]✗[/red] {sentence}", soft_wrap=True, highlight=False)
    if found:
        raise typer.Exit(1)
    console.print(f"[green]✓[/green] {all_well}")


def main() -> None:
    """Run, and say what can be mended in one line."""
    try:
        app()
    except CourseError as error:
        console.print(f"[red]error:[/red] {error}", soft_wrap=True, highlight=False)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
