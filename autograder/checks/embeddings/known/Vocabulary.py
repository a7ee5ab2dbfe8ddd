"""Known answers to `Vocabulary`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

from collections import Counter

import torch

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`0` for `1`": "a word of the texts stands there at least once, so none is left out by either number",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Words, counts, numbers and words again of a vocabulary of a few letters."""
    rng = torch.Generator().manual_seed(seed)
    letters = [chr(97 + int(place)) for place in torch.randint(3 + seed % 7, (40,), generator=rng)]
    texts = [letters[:15], letters[15:18], [], letters[18:]]
    found = []
    for settings in ({}, {"smallest_count": 1 + int(torch.randint(9, (), generator=rng))}):
        vocabulary = student.Vocabulary((text for text in texts), **settings)
        numbers = vocabulary.encode([*letters, "stranger"])
        found.append(
            (vocabulary.words, vocabulary.counts, len(vocabulary), numbers, vocabulary.decode(numbers))
        )
        for outside in (-1, len(vocabulary)):
            try:
                found.append(vocabulary.decode([0, outside]))
            except IndexError:
                found.append("IndexError")
    return found


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound:
    """A right vocabulary; most of the wrong ones below differ in one method."""

    def __init__(self, texts, *, smallest_count=1):
        self.build(Counter(word for text in texts for word in text), smallest_count)

    def build(self, occurrences, smallest_count):
        self.words, self.counts = ["<unk>"], [0]
        for word, count in self.in_order(occurrences):
            if count >= smallest_count:
                self.words.append(word)
                self.counts.append(count)
            else:
                self.counts[0] += count

    def in_order(self, occurrences):
        return sorted(sorted(occurrences.items()), key=lambda each: each[1], reverse=True)

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return [self.words.index(word) if word in self.words else 0 for word in text]

    def decode(self, numbers):
        for number in numbers:
            if not 0 <= number < len(self.words):
                raise IndexError(number)
        return [self.words[number] for number in numbers]


@wrong(
    thinking="The most common first is what `most_common` gives.",
    fails=("test_equal_counts",),
)
class TiesAsTheyCome(Sound):
    def in_order(self, occurrences):
        return occurrences.most_common()


@wrong(
    thinking="Falling order is sorting with `reverse=True`.",
    fails=("test_equal_counts",),
)
class AlphabetTurnedRound(Sound):
    def in_order(self, occurrences):
        return sorted(occurrences.items(), key=lambda each: (each[1], each[0]), reverse=True)


@wrong(
    thinking="A word gets its number when it is first met.",
    fails=("test_order",),
)
class AsFirstMet(Sound):
    def in_order(self, occurrences):
        return occurrences.items()


@wrong(
    thinking="A table is looked up, so it stands in the order of the alphabet.",
    fails=("test_order",),
)
class ByTheAlphabet(Sound):
    def in_order(self, occurrences):
        return sorted(occurrences.items())


@wrong(
    thinking="Counts are sorted, and `sort` sorts upwards.",
    fails=("test_order",),
)
class RareWordsFirst(Sound):
    def in_order(self, occurrences):
        return sorted(occurrences.items(), key=lambda each: (each[1], each[0]))


@wrong(
    thinking="A word must stand more often than the bound.",
    fails=("test_smallest_count",),
)
class MoreThanTheBound(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count + (smallest_count > 1))


@wrong(
    thinking="Words that stand once are useless, so two is where a vocabulary starts.",
    fails=("test_smallest_count",),
)
class AnotherDefault(Sound):
    def __init__(self, texts, *, smallest_count=2):
        super().__init__(texts, smallest_count=smallest_count)


@wrong(
    thinking="The count of the unknown word is how many words are unknown.",
    fails=("test_counts",),
)
class DifferentRareWords(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count)
        self.counts[0] = len(occurrences) - len(self.words) + 1


@wrong(
    thinking="The unknown word never stands in a text.",
    fails=("test_counts",),
)
class UnknownCountsNothing(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count)
        self.counts[0] = 0


@wrong(
    thinking="The unknown word stands for all words, so its count is that of the texts.",
    fails=("test_counts",),
)
class UnknownCountsAll(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count)
        self.counts[0] = occurrences.total()


@wrong(
    thinking="The counts are the values of the counter.",
    fails=("test_counts", "test_texts_in_one_pass"),
)
class CountsInAnotherOrder(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count)
        kept = [count for count in occurrences.values() if count >= smallest_count]
        self.counts = [self.counts[0], *kept]


@wrong(
    thinking="A dictionary gives the number of a word.",
    fails=("test_encode",),
)
class UnknownIsAnError(Sound):
    def encode(self, text):
        numbers = {word: number for number, word in enumerate(self.words)}
        return [numbers[word] for word in text]


@wrong(
    thinking="A word without a number is left out.",
    fails=("test_encode",),
)
class UnknownLeftOut(Sound):
    def encode(self, text):
        return [self.words.index(word) for word in text if word in self.words]


@wrong(
    thinking="A new word gets the next number.",
    fails=("test_encode",),
)
class GrowsWhenAsked(Sound):
    def encode(self, text):
        if not hasattr(self, "numbers"):
            self.numbers = {word: number for number, word in enumerate(self.words)}
        return [self.numbers.setdefault(word, len(self.numbers)) for word in text]


@wrong(
    thinking="A list raises IndexError by itself.",
    fails=("test_decode",),
)
class NegativesFromTheEnd(Sound):
    def decode(self, numbers):
        return [self.words[number] for number in numbers]


@wrong(
    thinking="What has no word is the unknown word.",
    fails=("test_decode",),
)
class OutsideIsUnknown(Sound):
    def decode(self, numbers):
        return [self.words[number] if 0 <= number < len(self.words) else "<unk>" for number in numbers]


@wrong(
    thinking="The texts are a list, so they are visited once for the words and once for the counts.",
    fails=("test_texts_in_one_pass",),
)
class VisitsTwice(Sound):
    def __init__(self, texts, *, smallest_count=1):
        words = {word for text in texts for word in text}
        occurrences = Counter(dict.fromkeys(words, 0))
        for text in texts:
            occurrences.update(text)
        self.build(occurrences, smallest_count)


@wrong(
    thinking="What has no number is all words less those that have one; the texts are gone over again for it.",
    fails=("test_texts_in_one_pass",),
)
class CountsAllWordsAgain(Sound):
    def __init__(self, texts, *, smallest_count=1):
        self.build(Counter(word for text in texts for word in text), smallest_count)
        self.counts[0] = sum(len(text) for text in texts) - sum(self.counts[1:])


@wrong(
    thinking="The texts are a list, so the first one is `texts[0]`.",
    fails=("test_texts_in_one_pass",),
)
class ByPlace(Sound):
    def __init__(self, texts, *, smallest_count=1):
        occurrences = Counter()
        for place in range(len(texts)):
            occurrences.update(texts[place])
        self.build(occurrences, smallest_count)


@wrong(
    thinking="The last vocabulary that was made is the one that is used.",
    fails=("test_each_its_own",),
)
class WordsOfTheClass(Sound):
    def build(self, occurrences, smallest_count):
        super().build(occurrences, smallest_count)
        type(self).words, type(self).counts = self.__dict__.pop("words"), self.__dict__.pop("counts")


@wrong(thinking="The order of the alphabet knows no capital letters.", fails=("test_equal_counts",))
class OrderWithoutCapitals(Sound):
    def in_order(self, occurrences):
        return sorted(occurrences.items(), key=lambda each: (-each[1], each[0].lower(), each[0]))


@wrong(thinking="Each unknown word that comes is one more `<unk>`.", fails=("test_encode",))
class CountsWhileEncoding(Sound):
    def encode(self, text):
        found = super().encode(text)
        self.counts[0] += found.count(0)
        return found


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Plain loops, no Counter: each word is inserted where it belongs.")
class PlainLoops:
    def __init__(self, texts, *, smallest_count=1):
        found = {}
        for text in texts:
            for word in text:
                found[word] = found.get(word, 0) + 1
        self.words, self.counts = ["<unk>"], [0]
        for word in sorted(found):
            if found[word] < smallest_count:
                self.counts[0] += found[word]
                continue
            place = 1
            while place < len(self.words) and self.counts[place] >= found[word]:
                place += 1
            self.words.insert(place, word)
            self.counts.insert(place, found[word])

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        numbers = []
        for word in text:
            try:
                numbers.append(self.words.index(word))
            except ValueError:
                numbers.append(0)
        return numbers

    def decode(self, numbers):
        result = []
        for number in numbers:
            if number < 0 or number >= len(self.words):
                raise IndexError("no word has this number")
            result.append(self.words[number])
        return result


@right(looks="Two stable sorts, a Counter as the table of numbers, a range that refuses what is outside.")
class CounterOfNumbers:
    def __init__(self, texts, *, smallest_count=1):
        stream = [word for text in texts for word in text]
        occurrences = Counter(sorted(stream)).most_common()
        kept = [each for each in occurrences if each[1] >= smallest_count]
        rare = len(stream) - sum(count for _, count in kept)
        self.words = ["<unk>"] + [word for word, _ in kept]
        self.counts = [rare] + [count for _, count in kept]
        self.table = Counter({word: number for number, word in enumerate(self.words)})

    def __len__(self):
        return len(self.counts)

    def encode(self, text):
        return [self.table[word] for word in text]

    def decode(self, numbers):
        places = list(range(len(self.words)))
        if not set(numbers) <= set(places):
            raise IndexError(f"{numbers} holds a number outside 0 to {places[-1]}")
        return [self.words[number] for number in numbers]


@right(
    looks="Words and counts as properties over one list of pairs; a word is found by comparing it with all."
)
class Properties:
    def __init__(self, texts, *, smallest_count=1):
        occurrences = Counter()
        for text in texts:
            occurrences.update(text)
        pairs = sorted((-count, word) for word, count in occurrences.items())
        kept = [(word, -count) for count, word in pairs if -count >= smallest_count]
        rare = sum(-count for count, _ in pairs if -count < smallest_count)
        self.pairs = [("<unk>", rare), *kept]

    @property
    def words(self):
        return [word for word, _ in self.pairs]

    @property
    def counts(self):
        return [count for _, count in self.pairs]

    def __len__(self):
        return len(self.pairs)

    def encode(self, text):
        words = self.words
        return [max(range(len(words)), key=lambda i: words[i] == word) for word in text]

    def decode(self, numbers):
        table = dict(enumerate(self.words))
        try:
            return [table[number] for number in numbers]
        except KeyError as error:
            raise IndexError(f"no word has number {error}") from None


@right(looks="The places of every word are kept and counted; `decode` raises an error of its own kind.")
class OwnError:
    class NoSuchNumber(IndexError):
        pass

    def __init__(self, texts, *, smallest_count=1):
        places = {}
        for i, text in enumerate(texts):
            for j, word in enumerate(text):
                places.setdefault(word, []).append((i, j))
        order = sorted(places, key=lambda word: (-len(places[word]), word))
        self.words, self.counts = ["<unk>"], [0]
        self.numbers = {}
        for word in order:
            if len(places[word]) < smallest_count:
                self.counts[0] += len(places[word])
            else:
                self.numbers[word] = len(self.words)
                self.words.append(word)
                self.counts.append(len(places[word]))

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return list(map(self.numbers.get, text, [0] * len(text)))

    def decode(self, numbers):
        outside = [number for number in numbers if number not in range(len(self.words))]
        if outside:
            raise self.NoSuchNumber(outside)
        return list(map(self.words.__getitem__, numbers))


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros:
    def __init__(self, texts, *, smallest_count=1):
        self.words = ["<unk>" for text in texts for word in text]
        self.counts = [0 for _ in self.words]

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return [0 for word in text]

    def decode(self, numbers):
        return ["<unk>" for number in numbers]


@cheat(kind="input")
class TheTexts:
    def __init__(self, texts, *, smallest_count=1):
        self.words = [word for text in texts for word in text]
        self.counts = list(range(len(self.words)))

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return text

    def decode(self, numbers):
        return numbers


@cheat(kind="noise")
class Noise:
    def __init__(self, texts, *, smallest_count=1):
        words = sorted({word for text in texts for word in text})
        order = torch.randperm(len(words)).tolist()
        self.words = ["<unk>", *(words[place] for place in order[: len(order) // 2])]
        self.counts = torch.randint(1, 9, (len(self.words),)).tolist()

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return torch.randint(len(self.words), (len(text),)).tolist()

    def decode(self, numbers):
        return [self.words[number] for number in self.encode(numbers)]


@cheat(kind="remembered")
class Remembered:
    memory = []  # noqa: RUF012

    def __init__(self, texts, *, smallest_count=1):
        if not self.memory:
            occurrences = Counter(sorted(word for text in texts for word in text))
            self.memory += [["<unk>"], [0]]
            for word, count in occurrences.most_common():
                if count >= smallest_count:
                    self.memory[0].append(word)
                    self.memory[1].append(count)
                else:
                    self.memory[1][0] += count
        self.words, self.counts = self.memory

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        return [self.words.index(word) if word in self.words else 0 for word in text]

    def decode(self, numbers):
        if min(numbers, default=0) < 0:
            raise IndexError
        return [self.words[number] for number in numbers]
