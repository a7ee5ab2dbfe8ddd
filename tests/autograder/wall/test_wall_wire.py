"""What crosses the wall arrives as it was, in plain types; a false claim is refused before it is believed."""

import json
import random
import struct

import numpy as np
import pytest
import torch

from autograder.wall import wire


def through(value):
    """`value` as it arrives on the other side."""
    tree, buffers = wire.encode(value)
    return wire.decode(json.loads(json.dumps(tree)), b"".join(buffers))


def same(one, other):
    """Equal in type, structure and every bit, NaN included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor | np.ndarray):
        kinds_agree = one.dtype == other.dtype and one.shape == other.shape
        return kinds_agree and repr(one.tolist()) == repr(other.tolist())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return repr(one) == repr(other)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        2**64 - 1,
        0.1,
        -0.0,
        float("nan"),
        float("-inf"),
        "注意力 \ud800 \x00",
        b"\x00\xff",
        1 - 2j,
        [],
        [1, [2.0, ("a", None)]],
        {"a": 1, 2: [3], (4, "b"): {}, None: 5, b"x": 6},
        {1, (2, 3)},
        torch.float16,
        torch.arange(6).reshape(2, 3),
        torch.tensor(3.5),
        torch.zeros(0, 4),
        torch.tensor([1.5, float("nan"), float("inf")], dtype=torch.bfloat16),
        torch.tensor([[True, False]]),
        np.arange(6, dtype=np.uint16).reshape(3, 2),
        np.array([True, False]),
        np.zeros((2, 0)),
    ],
    ids=repr,
)
def test_values_arrive_as_they_were(value):
    assert same(through(value), value)


@pytest.mark.parametrize("name", wire._TORCH)
def test_every_dtype_crosses(name):
    value = torch.tensor([0, 1, 1]).to(wire._TORCH[name])
    assert same(through(value), value)


def test_honest_forms_of_a_tensor_arrive_dense_and_detached():
    base = torch.arange(12.0).reshape(3, 4)
    for value in (
        base.t(),
        base[:, 1:3],
        base[1].expand(5, 4),
        base[:1, 1],  # one element with a stride of four counts as contiguous
        base.clone().requires_grad_() * 1,
        torch.nn.Parameter(base),
        base.flip(0),
        torch.conj(base.to(torch.complex64)).imag,
    ):
        arrived = through(value)
        assert type(arrived) is torch.Tensor
        assert not arrived.requires_grad
        assert arrived.is_contiguous()
        assert torch.equal(arrived, value.detach())


def test_an_empty_array_that_is_too_big_is_malformed():
    with pytest.raises(wire.Malformed, match="more bytes than arrived"):
        wire.decode(["array", "int64", [0, 2**31 - 1, 2**31 - 1]], b"")


def test_relatives_of_plain_types_arrive_plain():
    import collections

    pair = collections.namedtuple("pair", "a b")
    assert same(through(collections.OrderedDict(a=1)), {"a": 1})
    assert same(through(collections.Counter("aab")), {"a": 2, "b": 1})
    assert same(through(pair(1, 2)), (1, 2))
    assert same(through(collections.deque([1, 2])), [1, 2])
    assert same(through(range(3)), [0, 1, 2])
    assert same(through(frozenset({1})), {1})
    assert same(through(np.float32(0.5)), 0.5)
    assert same(through([np.int64(3), np.bool_(True), np.str_("a")]), [3, True, "a"])
    assert same(through(np.array([1, 2], dtype=">i4")), np.array([1, 2], dtype=np.int32))
    assert same(through(np.arange(6)[::2]), np.array([0, 2, 4]))


class LyingFloat(float):
    def __float__(self):
        return 1.0

    def __repr__(self):
        return "1.0"

    def __pos__(self):
        return 1.0


class LyingInt(int):
    def __int__(self):
        return 1

    def __index__(self):
        return 1


class LyingText(str):
    def __str__(self):
        return "right"


class LyingList(list):
    def __iter__(self):
        return iter([1])

    def __len__(self):
        return 1


class LyingDict(dict):
    def items(self):
        return [("right", 1)]


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.ones(())

    @property
    def shape(self):
        return torch.Size([7])

    def numel(self):
        return 7


class LyingArray(np.ndarray):
    shape = property(lambda self: (7,))
    dtype = property(lambda self: np.dtype(np.float32))

    def tobytes(self, *args):
        return b"\x00" * 64

    def __array_finalize__(self, source):
        pass


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (LyingFloat(2.0), 2.0),
        (LyingInt(2), 2),
        (LyingText("wrong"), "wrong"),
        (LyingList([2, 3]), [2, 3]),
        (LyingDict(wrong=2), {"wrong": 2}),
        (torch.zeros(2).as_subclass(LyingTensor), torch.zeros(2)),
        (np.array([5.0]).view(LyingArray), np.array([5.0])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_overridden_methods_have_no_say(value, plain):
    arrived = through(value)
    assert same(arrived, plain)


def endless():
    loop = []
    loop.append(loop)
    return loop


def hollow():
    tensor = torch.zeros(4)
    tensor.untyped_storage().resize_(0)
    return tensor


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ((each for each in ()), "a generator, which is lazy; return a list"),
        (map(str, []), "a map, which is lazy"),
        ({}.keys(), "a dict_keys, which is lazy"),
        (zip(), "a zip, which is lazy"),
        ([iter([])], "a list_iterator, which is lazy"),
        (object(), "a object; return numbers"),
        (torch.eye(2).to_sparse(), "a sparse tensor; return a dense one"),
        (torch.empty(2, device="meta"), "a tensor on the meta device"),
        (torch.zeros(2, dtype=torch.complex64), "a tensor of dtype torch.complex64"),
        (torch.zeros(1).expand(2**40), "more than 64 MiB in all"),
        ([torch.zeros(2**23), torch.zeros(2**23), torch.zeros(1)], "more than 64 MiB in all"),
        (hollow(), "does not hold that many values"),
        (np.array(["a"]), "a NumPy array of dtype <U1"),
        (np.array([object()]), "a NumPy array of dtype object"),
        (np.zeros(2, dtype=[("a", "f4")]), "a NumPy array of dtype"),
        (np.datetime64("2020-01-01"), "a NumPy datetime64"),
        (2**64, "a whole number of more than 64 bits"),
        (endless(), "nested more than 32 levels deep"),
        ([torch.zeros(1)] * 10_001, "more than 10000 tensors"),
        (range(2_000_000), "more than 1000000 values"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_cross_is_refused_with_a_sentence(value, sentence):
    with pytest.raises(wire.Uncrossable) as refusal:
        wire.encode(value)
    assert sentence in str(refusal.value)


def test_only_so_many_objects_stay_on_the_other_side():
    """Each costs the grader an object of its own."""
    many = [object()] * (wire.MAX_SPECIAL + 1)
    with pytest.raises(wire.Uncrossable, match="more than 10000 objects; return less"):
        wire.encode(many, lambda value: ["handle", 1] if type(value) is object else None)
    tree = ["list", *[["handle", 1]] * len(many)]
    with pytest.raises(wire.Malformed, match="too many"):
        wire.decode(tree, b"", lambda kind, fields: fields[0])
    assert len(wire.decode(tree[:-1], b"", lambda kind, fields: fields[0])) == wire.MAX_SPECIAL


@pytest.mark.filterwarnings("ignore")
def test_tensors_without_plain_values_are_refused():
    nested = torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])
    quantised = torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)
    for value, sentence in ((nested, "a nested tensor"), (quantised, "a quantised tensor")):
        with pytest.raises(wire.Uncrossable, match=sentence):
            wire.encode(value)


def test_text_above_the_limit_is_refused():
    tree, buffers = wire.encode("a" * wire.MAX_JSON_BYTES)
    with pytest.raises(wire.Uncrossable, match="MiB of text"):
        wire.frame({"value": tree}, buffers)


def deep(levels):
    tree = 1
    for _ in range(levels):
        tree = ["list", tree]
    return tree


def colliding_keys():
    """Tuples of equal hash: 0 and 0.0 are equal and would merge, the two values of hash -2 are not."""
    keys = [[]]
    for _ in range(7):
        keys = [[*key, each] for key in keys for each in (-1, -2)]
    return ["dict", *(part for key in keys for part in (["tuple", *key], 0))]


@pytest.mark.parametrize(
    ("tree", "buffers"),
    [
        ({}, b""),
        ([], b""),
        ([1], b""),
        (["pickle", "gASVAAAA"], b""),
        (["tensor", "float32", [2]], b"\0" * 7),
        (["tensor", "float32", [2]], b"\0" * 9),
        (["list", ["tensor", "float32", [2]], ["tensor", "float32", [2]]], b"\0" * 8),
        (["tensor", "float32", [-1, -2]], b"\0" * 8),
        (["tensor", "float32", [2.0]], b"\0" * 8),
        (["tensor", "float32", [True]], b"\0" * 4),
        (["tensor", "float32", "2"], b"\0" * 8),
        (["tensor", "float32", [2**31]], b""),
        (["tensor", "float32", [0, *[2**30] * 3]], b""),
        (["tensor", "float32", [2**16, 2**16, 2**16, 2**16]], b""),
        (["tensor", "float32", [1] * 17], b"\0" * 4),
        (["tensor", "complex64", [1]], b"\0" * 8),
        (["tensor", "object", [1]], b"\0" * 8),
        (["tensor", ["float32"], [1]], b"\0" * 4),
        (["array", "object", [1]], b"\0" * 8),
        (["array", "bfloat16", [1]], b"\0" * 2),
        (["tensor", "float32"], b""),
        (["dict", 1], b""),
        (["dict", ["list"], 1], b""),
        (["dict", ["tensor", "float32", [1]], 1], b"\0" * 4),
        (["dict", ["dtype", "float32"], 1], b""),
        (["set", ["dict"]], b""),
        (["bytes", 1], b""),
        (["complex", "a", 1], b""),
        (["dtype", "load"], b""),
        (["handle", 1, "x"], b""),
        (10**100, b""),
        (deep(40), b""),
        (["list", *[0] * 1_000_001], b""),
        (["list", *[["tensor", "float32", [0]]] * 10_001], b""),
        (colliding_keys(), b""),
        (1, b"\0"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_false_claims_are_refused(tree, buffers):
    with pytest.raises(wire.Malformed):
        wire.decode(tree, buffers)


def test_bytes_of_a_boolean_other_than_0_and_1_are_true():
    for kind in ("tensor", "array"):
        value = wire.decode([kind, "bool", [3]], b"\x00\x01\xff")
        assert value.tolist() == [False, True, True]
        assert (value == np.array([0, 1, 1])).all()


def framed(text, buffers=b"", magic=b"wall", claimed=None):
    return (
        struct.pack("<4sIQ", magic, len(text), len(buffers) if claimed is None else claimed) + text + buffers
    )


@pytest.mark.parametrize(
    "data",
    [
        framed(b"{}", magic=b"HTTP"),
        framed(b"[]"),
        framed(b"{"),
        framed(b'{"a": "\xff"}'),
        framed(b"[" * 100_000),
        framed(b'{"a": ' + b"9" * 5000 + b"}"),
        framed(b"{}", claimed=2**40),
        struct.pack("<4sIQ", b"wall", 2**32 - 1, 0),
    ],
    ids=range(8),
)
def test_false_frames_are_refused_before_they_are_read(data):
    rest = memoryview(data)
    asked = []

    def read(count):
        nonlocal rest
        asked.append(count)
        part, rest = bytes(rest[:count]), rest[count:]
        return part

    with pytest.raises(wire.Malformed):
        wire.receive(read)
    assert max(asked) <= wire.MAX_BUFFER_BYTES


def test_ten_thousand_mutilated_messages_are_decoded_or_refused():
    """Whatever is done to a message, the outcome is plain data or `Malformed`, never another exception."""
    value = {"a": [1, 2.5, (None, "x")], 3: torch.arange(4.0), "b": np.arange(3), "c": {b"k", 1j}}
    tree, buffers = wire.encode(value)
    text, data = json.dumps(tree).encode(), b"".join(buffers)
    source = random.Random(0)
    refused = 0
    for _ in range(10_000):
        bad = bytearray(text)
        for _ in range(source.randint(1, 4)):
            place = source.randrange(len(bad))
            bad[place : place + source.randint(0, 2)] = source.choices(
                b'[],"0123456789-.etnulist', k=source.randint(0, 2)
            )
        size = source.choice([len(data), source.randrange(2 * len(data))])
        try:
            tree = json.loads(bad)
        except ValueError:
            continue
        try:
            wire.decode(tree, (data * 2)[:size])
        except wire.Malformed:
            refused += 1
    assert refused > 1000
