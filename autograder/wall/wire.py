"""What crosses the wall: frames of JSON and raw bytes. Used on both sides, so it needs only torch and numpy.

A frame is a fixed header (magic, JSON length, byte length), a JSON object, and the bytes of its tensors and
arrays in the order in which they stand in the JSON. Nothing is unpickled or evaluated; decoding builds plain
Python, torch and numpy values only, and checks every claim (type, shape, byte count, depth, number) before it
allocates.

In the JSON, `null`, booleans, numbers and strings stand for themselves; everything else is a list whose first
item is its kind: `["list", ...]`, `["tuple", ...]`, `["set", ...]`, `["dict", key, value, key, value, ...]`,
`["bytes", latin-1 text]`, `["complex", real, imaginary]`, `["dtype", name]`, `["tensor", dtype, shape]`,
`["array", dtype, shape]`. Kinds that only one side knows (handles, probes, generators) go through `special`.
"""

import collections
import json
import math
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

#: Bounds of one frame. Checks stay far below; what lies above is refused with a sentence.
MAX_JSON_BYTES = 8 * 2**20
MAX_BUFFER_BYTES = 64 * 2**20
MAX_DEPTH = 32
MAX_ITEMS = 1_000_000
MAX_TENSORS = 10_000
MAX_SPECIAL = 10_000
MAX_DIMENSIONS = 16
MAX_EQUAL_HASHES = 64

_HEADER = struct.Struct("<4sIQ")
_MAGIC = b"wall"
_NAMES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"
)  # fmt: skip
_TORCH = {name: getattr(torch, name) for name in _NAMES}
_TORCH_NAMES = {dtype: name for name, dtype in _TORCH.items()}
_NUMPY = {
    **{name: np.dtype(name) for name in _NAMES if name != "bfloat16"},
    **{name: np.dtype(name) for name in ("uint16", "uint32", "uint64")},
}

#: `special(value)` gives kind and fields of a value that only one side knows, or None; the fields are values.
Pack = Callable[[Any], "list[Any] | None"]
#: `special(kind, fields)` builds the value back; it raises `Malformed` for a kind that it does not know.
Unpack = Callable[[str, "list[Any]"], Any]


class Malformed(Exception):
    """What arrived is not a frame, or its claims do not hold."""


class Closed(Exception):
    """The other side is gone."""


class Uncrossable(Exception):
    """A value that cannot cross. The message is for the student: "a generator, ...; return a list ..."."""


class _Encoder:
    """One value on its way into a frame, read through its base class: overridden methods have no say."""

    def __init__(self, special: Pack | None) -> None:
        self.special = special
        self.buffers: list[bytes] = []
        self.bytes = 0
        self.items = 0
        self.specials = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH:
            raise Uncrossable(f"something nested more than {MAX_DEPTH} levels deep (does it contain itself?)")
        if self.items > MAX_ITEMS:
            raise Uncrossable(f"more than {MAX_ITEMS} values; return a tensor, or less")
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is str:
            return value
        if issubclass(kind, str):
            return str.__str__(value)
        if issubclass(kind, int):
            return self._integer(int.__int__(value))
        if issubclass(kind, float):
            return float.__pos__(value)
        if issubclass(kind, torch.Tensor):
            return self._tensor(value)
        if self.special is not None and (packed := self.special(value)) is not None:
            self.specials += 1
            if self.specials > MAX_SPECIAL:
                raise Uncrossable(f"more than {MAX_SPECIAL} objects; return less")
            return self._many(packed[0], packed[1:], depth)
        if issubclass(kind, np.ndarray):
            return self._array(value)
        if issubclass(kind, np.generic):
            return self._scalar(value)
        if issubclass(kind, list):
            return self._many("list", list.__iter__(value), depth)
        if issubclass(kind, tuple):
            return self._many("tuple", tuple.__iter__(value), depth)
        if issubclass(kind, dict):
            return self._many("dict", (part for item in dict.items(value) for part in item), depth)
        if issubclass(kind, (set, frozenset)):
            base = set if issubclass(kind, set) else frozenset
            return self._many("set", base.__iter__(value), depth)
        if issubclass(kind, (range, collections.deque)):
            return self._many("list", iter(value), depth)
        if issubclass(kind, (bytes, bytearray)):
            return ["bytes", bytes(value).decode("latin-1")]
        if issubclass(kind, complex):
            return ["complex", value.real, value.imag]
        if kind is torch.dtype and value in _TORCH_NAMES:
            return ["dtype", _TORCH_NAMES[value]]
        raise Uncrossable(_refusal(kind))

    def _many(self, kind: str, values: Iterable[Any], depth: int) -> list[Any]:
        return [kind, *(self.encode(value, depth + 1) for value in values)]

    def _integer(self, value: int) -> int:
        if not -(2**63) <= value < 2**64:
            raise Uncrossable("a whole number of more than 64 bits")
        return value

    def _scalar(self, value: np.generic) -> Any:
        plain = np.generic.item(value)
        if type(plain) not in (bool, int, float, complex):
            raise Uncrossable(f"a NumPy {type(value).__name__}; return a Python number")
        return ["complex", plain.real, plain.imag] if type(plain) is complex else plain

    def _claim(self, count: int, size: int, what: str) -> None:
        self.bytes += count * size
        if self.bytes > MAX_BUFFER_BYTES:
            raise Uncrossable(f"{what}, more than {MAX_BUFFER_BYTES // 2**20} MiB in all; return less")
        if len(self.buffers) >= MAX_TENSORS:
            raise Uncrossable(f"more than {MAX_TENSORS} tensors; stack them, or return less")

    def _tensor(self, value: torch.Tensor) -> list[Any]:
        with torch._C.DisableTorchFunctionSubclass():
            value = torch.Tensor.detach(value)
            if value.is_meta:
                raise Uncrossable(
                    "a tensor on the meta device, which has a shape but no values; make it on the CPU"
                )
            if value.is_sparse or value.layout != torch.strided:
                raise Uncrossable("a sparse tensor; return a dense one (`.to_dense()`)")
            if value.is_nested:
                raise Uncrossable("a nested tensor; return a padded one, or a list of tensors")
            if value.is_quantized:
                raise Uncrossable("a quantised tensor; return a floating one (`.dequantize()`)")
            if value.dtype not in _TORCH_NAMES:
                raise Uncrossable(
                    f"a tensor of dtype {value.dtype}; return a real floating, integer or boolean one"
                )
            shape = list(value.shape)
            self._claim(value.numel(), value.element_size(), f"a tensor of shape {tuple(shape)}")
            if not _holds(value):
                raise Uncrossable(
                    f"a tensor that claims shape {tuple(shape)} but does not hold that many values"
                )
            dense = value.cpu().resolve_neg().clone(memory_format=torch.contiguous_format)
            self.buffers.append(dense.reshape(-1).view(torch.uint8).numpy().tobytes())
        return ["tensor", _TORCH_NAMES[value.dtype], shape]

    def _array(self, value: np.ndarray) -> list[Any]:
        plain = np.ndarray.view(value, np.ndarray)
        native = plain.dtype.newbyteorder("=")
        if native.name not in _NUMPY:
            raise Uncrossable(
                f"a NumPy array of dtype {plain.dtype}; return a real floating, integer or boolean one"
            )
        self._claim(plain.size, native.itemsize, f"a NumPy array of shape {plain.shape}")
        self.buffers.append(np.ascontiguousarray(plain, dtype=native).tobytes())
        return ["array", native.name, list(plain.shape)]


def encode(value: Any, special: Pack | None = None) -> tuple[Any, list[bytes]]:
    """The JSON and the buffers of a value.

    Raises:
        Uncrossable: the value, or a part of it, is nothing that can cross.
    """
    encoder = _Encoder(special)
    return encoder.encode(value), encoder.buffers


def _holds(tensor: torch.Tensor) -> bool:
    """Whether the storage of a strided tensor is as large as its shape and strides claim."""
    if tensor.numel() == 0:
        return True
    last = tensor.storage_offset() + sum(
        (size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True)
    )
    return (last + 1) * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _refusal(kind: type) -> str:
    """Why an object of type `kind` cannot cross, and what to return."""
    name = kind.__name__
    if hasattr(kind, "__await__"):
        return f"a {name}; make it a plain function (no `async`)"
    if hasattr(kind, "__next__") or name.startswith("dict_"):
        return f"a {name}, which is lazy; return a list, a tuple or a tensor (for example `list(...)`)"
    return f"a {name}; return numbers, strings, lists, tuples, dicts, tensors or arrays"


class _Decoder:
    """One received value. Every tensor takes the next bytes of the frame, so no byte can be claimed twice."""

    def __init__(self, buffers: memoryview, special: Unpack | None) -> None:
        self.special = special
        self.buffers = buffers
        self.taken = 0
        self.tensors = 0
        self.items = 0
        self.specials = 0

    def decode(self, tree: Any, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise Malformed("a value that is too deep or has too many parts")
        if tree is None or isinstance(tree, (bool, float, str)):
            return tree
        if isinstance(tree, int):
            if not -(2**63) <= tree < 2**64:
                raise Malformed("a whole number of more than 64 bits")
            return tree
        if not isinstance(tree, list) or not tree or not isinstance(tree[0], str):
            raise Malformed("a value without a kind")
        kind, fields = tree[0], tree[1:]
        if kind in ("list", "tuple", "set", "dict"):
            return self._collection(kind, [self.decode(field, depth + 1) for field in fields])
        if kind in ("tensor", "array"):
            return self._numbers(kind, fields)
        if kind == "bytes":
            return _text(fields).encode("latin-1", "replace")
        if kind == "complex":
            if len(fields) != 2 or not all(isinstance(field, float) for field in fields):
                raise Malformed("a complex number without two parts")
            return complex(*fields)
        if kind == "dtype":
            return _known(_TORCH, _text(fields))
        self.specials += 1
        if self.special is None or self.specials > MAX_SPECIAL:
            raise Malformed("a value of an unknown kind, or too many of them")
        return self.special(kind, [self.decode(field, depth + 1) for field in fields])

    def _collection(self, kind: str, values: list[Any]) -> Any:
        if kind == "list":
            return values
        if kind == "tuple":
            return tuple(values)
        keys = values if kind == "set" else values[::2]
        _refuse_bad_keys(keys)
        if kind == "set":
            return set(values)
        if len(values) % 2:
            raise Malformed("a dict with a key that has no value")
        return dict(zip(keys, values[1::2], strict=True))

    def _numbers(self, kind: str, fields: list[Any]) -> Any:
        self.tensors += 1
        if len(fields) != 2 or self.tensors > MAX_TENSORS:
            raise Malformed("a tensor without dtype and shape, or too many tensors")
        name, shape = fields
        dtypes: dict[str, Any] = _TORCH if kind == "tensor" else _NUMPY
        dtype = _known(dtypes, name)
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise Malformed("a shape that is no short list")
        if not all(type(size) is int and 0 <= size < 2**31 for size in shape):
            raise Malformed("a shape with a size that is no whole number from 0 to 2^31")
        count = math.prod(shape)
        size = count * dtype.itemsize
        if (
            size > len(self.buffers) - self.taken
            or math.prod(max(1, each) for each in shape) * dtype.itemsize >= 2**62
        ):
            raise Malformed("a shape that claims more bytes than arrived")
        data = bytearray(self.buffers[self.taken : self.taken + size])
        self.taken += size
        if kind == "array":
            return _as_bool(np.frombuffer(data, np.uint8 if name == "bool" else dtype).reshape(shape), name)
        if not count:
            return torch.empty(shape, dtype=dtype, device="cpu")
        plain = torch.frombuffer(data, dtype=torch.uint8 if name == "bool" else dtype)
        return _as_bool(plain.reshape(shape), name)


def _as_bool(values: Any, name: str) -> Any:
    """Bytes other than 0 and 1 would be booleans that equal neither."""
    return values != 0 if name == "bool" else values


def _known(table: dict[str, Any], name: object) -> Any:
    if not isinstance(name, str) or name not in table:
        raise Malformed("a dtype that may not cross")
    return table[name]


def _text(fields: list[Any]) -> str:
    if len(fields) != 1 or not isinstance(fields[0], str):
        raise Malformed("a kind that needs one string")
    return fields[0]


def _refuse_bad_keys(keys: list[Any]) -> None:
    """Only hashable plain keys, and not many of equal hash (which would make building the dict quadratic)."""
    try:
        hashes = collections.Counter(hash(key) for key in keys)
    except TypeError as error:
        raise Malformed("a key that cannot be hashed") from error
    if not all(isinstance(key, (type(None), bool, int, float, str, bytes, tuple, complex)) for key in keys):
        raise Malformed("a key that is no plain value")
    if hashes and max(hashes.values()) > MAX_EQUAL_HASHES:
        raise Malformed("too many keys of equal hash")


def decode(tree: Any, buffers: bytes | memoryview, special: Unpack | None = None) -> Any:
    """The value of a frame's JSON and bytes, made of plain types only.

    Raises:
        Malformed: a claim in the JSON does not hold; nothing was believed.
    """
    decoder = _Decoder(memoryview(buffers), special)
    value = decoder.decode(tree)
    if decoder.taken != len(decoder.buffers):
        raise Malformed("bytes that no tensor claims")
    return value


def frame(message: dict[str, Any], buffers: list[bytes]) -> bytes:
    """The bytes of one frame.

    Raises:
        Uncrossable: the JSON is too long.
    """
    text = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_JSON_BYTES:
        raise Uncrossable(
            f"more than {MAX_JSON_BYTES // 2**20} MiB of text and lists; return a tensor, or less"
        )
    return b"".join((_HEADER.pack(_MAGIC, len(text), sum(map(len, buffers))), text, *buffers))


def receive(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """One frame: its JSON object and its bytes. `read(n)` gives exactly n bytes or raises `Closed`.

    Raises:
        Malformed: the header, the lengths or the JSON are wrong.
        Closed: the other side is gone.
    """
    magic, text_bytes, buffer_bytes = _HEADER.unpack(read(_HEADER.size))
    if magic != _MAGIC or text_bytes > MAX_JSON_BYTES or buffer_bytes > MAX_BUFFER_BYTES:
        raise Malformed("a header that is none of ours, or a frame above the size limit")
    text = read(text_bytes)
    buffers = read(buffer_bytes)
    try:
        message = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise Malformed("JSON that cannot be read") from error
    if not isinstance(message, dict):
        raise Malformed("JSON that is no object")
    return message, buffers


def reader(channel: socket.socket) -> Callable[[int], bytes]:
    """Exact reads from a blocking socket."""

    def read(count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = channel.recv(min(count - len(parts), 2**20))
            if not part:
                raise Closed
            parts += part
        return bytes(parts)

    return read
