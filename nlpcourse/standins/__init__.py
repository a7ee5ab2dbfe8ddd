"""Public stand-ins: working objects for the exercises of a topic, so that each can be done on its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from nlpcourse.errors import CourseError


@contextmanager
def stand_ins(namespace: dict[str, Any], topic: str, *names: str) -> Iterator[None]:
    """Let `names` mean the course's own objects inside a `with` block, then put back what was there.

    Args:
        namespace: usually `globals()` of a notebook.
        topic: the topic whose stand-ins are used.
        names: names of exercises, such as `"sgns_loss"`.

    Raises:
        CourseError: the topic has no stand-in of that name, or there are none here.
    """
    try:
        module = import_module(f"nlpcourse.standins.{topic}")
    except ModuleNotFoundError as error:
        raise CourseError(
            f"there are no stand-ins for topic {topic!r} here; when a notebook is graded, only its own tests get them"
        ) from error
    for name in names:
        if not hasattr(module, name):
            raise CourseError(
                f"topic {topic} has no stand-in {name!r}; see {module.__name__} for those it has"
            )
    before = {name: namespace[name] for name in names if name in namespace}
    namespace.update({name: getattr(module, name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del namespace[name]
        namespace.update(before)
