"""The docstring corpus: real English that every machine with the course has, read out of installed packages.

    >>> from nlpcourse.data import docstrings, words
    >>> corpus = docstrings.load()
    >>> tokens = [words(text) for text in corpus.texts("train")]
    >>> corpus.info.words, corpus.info.sha256

The first `load` reads the source files with `ast` (no package is imported) and keeps the result under
`$NLPCOURSE_CACHE`; a later one takes a fraction of a second. The same versions of Python and the packages
give the same corpus to the byte. A file's split depends on its module's name alone, and a docstring that
stands several times (inherited, aliased) is kept once, so no docstring of dev or test is in train word for
word.
"""

import hashlib
import json
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

from nlpcourse.data import sections, words
from nlpcourse.data.reading import read_files
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.settings import cache_directory
from nlpcourse.terminal import say

BUILDER = 1
"""Version of this builder; part of the cache's key."""

PACKAGES = ("stdlib", "numpy", "torch", "matplotlib")
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Record:
    """One docstring and where it stands."""

    package: str
    module: str
    name: str
    """Qualified name, from the package on."""
    kind: str
    """`module`, `class`, `function`, or `attached` (given by a call to an object written in C)."""
    split: str
    docstring: str

    @property
    def summary(self) -> str:
        """The first paragraph, on one line."""
        return sections.summary_and_body(self.docstring)[0]

    @property
    def body(self) -> str:
        """What follows the summary; "" when nothing does."""
        return sections.summary_and_body(self.docstring)[1]

    @property
    def parameters(self) -> tuple[sections.Parameter, ...]:
        """What a NumPy or Google style section says of the parameters; () without one."""
        return sections.parameters(self.docstring)


@dataclass(frozen=True)
class Info:
    """What the corpus was made of, and how much there is of it."""

    versions: dict[str, str]
    """Of Python, the packages and the builder."""
    files: int
    docstrings: int
    words: int
    """As `nlpcourse.data.words` counts them."""
    by_split: dict[str, int]
    """Docstrings in each split."""
    by_package: dict[str, int]
    """Docstrings of each package."""
    missing: int
    """Modules of the list that are not installed here, or that this Python cannot parse."""
    sha256: str
    """Of the records."""


@dataclass(frozen=True)
class Corpus:
    """All docstrings, in the order of the module list."""

    records: tuple[Record, ...]
    info: Info

    def __repr__(self) -> str:
        info = self.info
        return f"Corpus({info.docstrings} docstrings, {info.words} words, sha256 {info.sha256[:12]})"

    def split(self, name: str) -> list[Record]:
        """The records of one split: `train` (8 files of 10), `dev` or `test`.

        Raises:
            CourseError: there is no such split.
        """
        if name not in SPLITS:
            raise CourseError(f"there is no split {name!r}; splits are {', '.join(SPLITS)}")
        return [record for record in self.records if record.split == name]

    def texts(self, split: str) -> list[str]:
        """The docstrings of one split.

        Raises:
            CourseError: there is no such split.
        """
        return [record.docstring for record in self.split(split)]


def load() -> Corpus:
    """The corpus of this installation, from the cache, else built (a progress bar shows) and kept there.

    Raises:
        CourseError: a package of the corpus is not installed.
    """
    versions = installed_versions()
    path = cache_path(versions)
    corpus = read_cache(path)
    if corpus is None:
        started = time.monotonic()
        corpus = build(module_list(), roots(), versions)
        say(f"docstring corpus: {describe(corpus.info)}, built in {time.monotonic() - started:.0f} s")
        _keep(corpus, path)
    return corpus


def describe(info: Info) -> str:
    """The counts and the hash, in one line."""
    absent = f" ({info.missing} of the list are not here)" if info.missing else ""
    counts = f"{info.files:,} files{absent}, {info.docstrings:,} docstrings, {info.words:,} words"
    return f"{counts}, sha256 {info.sha256[:12]}"


def installed_versions() -> dict[str, str]:
    """Versions that decide what the corpus is, by name.

    Raises:
        CourseError: a package of the corpus is not installed.
    """
    found = {"builder": str(BUILDER), "python": ".".join(map(str, sys.version_info[:3]))}
    for package in PACKAGES[1:]:
        try:
            found[package] = version(package)
        except PackageNotFoundError as error:
            raise CourseError(
                f"the docstring corpus needs {package}, which is not installed: pip install {package}"
            ) from error
    return found


def module_list() -> dict[str, list[str]]:
    """The committed list of modules, by package."""
    return tomllib.loads(Path(__file__).with_name("modules.toml").read_text(encoding="utf-8"))


def roots() -> dict[str, Path]:
    """The folder that holds each package's modules, found without importing any.

    Raises:
        CourseError: a package is not installed.
    """
    found = {"stdlib": Path(get_path("stdlib"))}
    for package in PACKAGES[1:]:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise CourseError(
                f"the docstring corpus needs {package}, which is not installed: pip install {package}"
            )
        found[package] = Path(spec.origin).parent.parent
    return found


def split_of(module: str) -> str:
    """The split of a module's file: a tenth of all names is dev, a tenth test."""
    bucket = int.from_bytes(hashlib.sha256(module.encode()).digest()[:4], "big") % 10
    return {0: "dev", 1: "test"}.get(bucket, "train")


def build(
    modules: Mapping[str, Sequence[str]], roots: Mapping[str, Path], versions: dict[str, str]
) -> Corpus:
    """Read the corpus out of source files.

    Args:
        modules: module names by package.
        roots: by package, the folder in which its modules' names begin.
        versions: what `Info.versions` is to say.
    """
    places = [(package, module) for package in modules for module in modules[package]]
    paths = [_source(roots[package], module) for package, module in places]
    present = [index for index, path in enumerate(paths) if path is not None]
    answers = read_files([path for path in paths if path is not None])
    rows: dict[str, Record] = {}  # by docstring: the first place keeps it
    read = 0
    for index, found in zip(present, answers, strict=True):
        if found is None:
            continue
        read += 1
        package, module = places[index]
        for name, kind, docstring in found:
            elsewhere = kind == "attached" and name.startswith(f"{package}.")
            name = name if elsewhere else ".".join(part for part in (module, name) if part)
            rows.setdefault(docstring, Record(package, module, name, kind, split_of(module), docstring))
    records = tuple(rows.values())
    return Corpus(records, _info(records, files=read, missing=len(places) - read, versions=versions))


def _source(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _info(records: Sequence[Record], *, files: int, missing: int, versions: dict[str, str]) -> Info:
    return Info(
        versions=versions,
        files=files,
        docstrings=len(records),
        words=sum(len(words(record.docstring)) for record in records),
        by_split={split: sum(record.split == split for record in records) for split in SPLITS},
        by_package=dict(Counter(record.package for record in records)),
        missing=missing,
        sha256=hashlib.sha256(_payload(records)).hexdigest(),
    )


def _payload(records: Iterable[Record]) -> bytes:
    return json.dumps([list(vars(record).values()) for record in records], ensure_ascii=False).encode()


def cache_path(versions: Mapping[str, str]) -> Path:
    """Where the corpus of these versions is kept."""
    key = hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]
    return cache_directory() / f"docstrings-{key}.json"


def _keep(corpus: Corpus, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(corpus.info)).encode() + b"\n" + _payload(corpus.records))
    except (CourseError, OSError) as error:
        say(f"the docstring corpus is not kept and will be built again next time: {error}")


def read_cache(path: Path) -> Corpus | None:
    """The corpus kept at `path`; None when there is none, or (after saying so) when it is not whole."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        say(f"{path} cannot be read ({error.strerror}); building it again")
        return None
    header, _, payload = content.partition(b"\n")
    try:
        info = Info(**json.loads(header))
    except (ValueError, TypeError):
        info = None
    if info is None or hashlib.sha256(payload).hexdigest() != info.sha256:
        say(f"{path} is damaged ({len(content):,} bytes, their hash is not the one noted); building it again")
        return None
    return Corpus(tuple(Record(*row) for row in json.loads(payload)), info)
