"""The figure of heads: what it is made of, what it refuses, and that the browser computes what torch computes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nlpcourse.data import dates
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.site import build
from nlpcourse.site.head_maps import figure, read_model, sharpest
from solutions.attention.decoding import greedy
from solutions.attention.dot_product import scaled_dot_product_attention
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.multi_head import MultiHeadAttention
from solutions.attention.pocket import from_eight_bits, pack
from solutions.attention.transformer import Transformer, TransformerConfig
from tests.chapters.conftest import make_book

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
in_browser = [
    pytest.mark.skipif(
        not Path("/usr/bin/chromium").is_file(), reason="Chromium is not installed at /usr/bin/chromium"
    ),
    pytest.mark.xdist_group("browser"),
]
COMMITTED = project_root(Path(__file__).parent) / "records" / "attention" / "heads.json"
TEXTS = [("3 May 1998", "1998-05-03"), ("1.2.2003", "2003-02-01")]
PADDING = 4
ALL_MASKS = [(True, True), (False, True), (True, False), (False, False)]


def small_model() -> Transformer:
    """Two layers on each side; no weight keeps the value that training starts from, so that each of them counts."""
    torch.manual_seed(0)
    config = TransformerConfig(
        vocabulary_size=dates.vocabulary_size(),
        d_model=8,
        num_heads=2,
        d_ff=12,
        encoder_layers=2,
        decoder_layers=2,
        dropout=0.0,
        norm_first=True,
    )
    model = Transformer(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model


def record_of(model: Transformer) -> dict[str, Any]:
    return {"run": "by-hand-0", **pack(model, TEXTS, longest=30)}


@pytest.fixture(scope="module")
def model() -> Transformer:
    return small_model()


@pytest.fixture(scope="module")
def record(model: Transformer) -> dict[str, Any]:
    return record_of(model)


@pytest.fixture
def saved(tmp_path: Path, record: dict[str, Any]) -> Callable[..., Path]:
    def save(**changes: Any) -> Path:
        content = {key: value for key, value in {**record, **changes}.items() if value is not None}
        path = tmp_path / "heads.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return save


def test_the_figure_holds_the_model_and_an_example(
    saved: Callable[..., Path], record: dict[str, Any]
) -> None:
    shown = figure(read_model(saved()))
    data = json.loads(re.search(r"<script [^>]*>(.*?)</script>", shown)[1])
    assert data["weights"] == record["weights"]
    layer, head = sharpest(record["example"]["weights"])
    assert data["shown"] == {"layer": layer, "head": head}
    assert f"{record['parameters']:,} parameters" in shown
    assert "writes\n0 of 2 test dates" in shown
    first = record["example"]["weights"][layer][head][0]
    cells = re.findall(r"<td>(.*?)</td>", re.search(r"<tr><th scope=\"row\">start.*?</tr>", shown)[0])
    assert cells == [f"{weight:.2f}" for weight in first]
    assert set(re.findall(r'data-course-script="(.*?)"', shown)) == {"head-maps.js", "pocket-transformer.js"}


def test_the_sharpest_head_has_the_largest_weights() -> None:
    even, sharp = [[0.5, 0.5], [0.6, 0.4]], [[0.1, 0.9], [0.5, 0.5]]
    assert sharpest([[even, sharp], [even, even]]) == (0, 1)
    assert sharpest([[even, even], [sharp, even]]) == (1, 0)


def test_a_model_cannot_write_html(saved: Callable[..., Path]) -> None:
    shown = figure(read_model(saved(run="<b>", characters="</script>")))
    assert "<b>" not in shown
    assert shown.count("</script>") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"example": None}, "is no model"),
        ({"longest": None, "run": None}, "has no longest, run"),
        ({"weights": []}, "does not fit"),
        ({"num_heads": 3}, "does not fit"),
        ({"exact match": 98.5}, "does not fit"),
        ({"tested": 0}, "does not fit"),
        ({"example": {"text": "3 May", "written": "1", "weights": [[[[1.0]] * 2] * 2]}}, "does not fit"),
    ],
)
def test_a_record_that_is_no_model_is_refused(
    saved: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CourseError, match=message):
        read_model(saved(**changes))


def test_the_committed_model_writes_nearly_every_date() -> None:
    found = read_model(COMMITTED)
    assert (COMMITTED.parent / f"{found['run']}.json").is_file(), (
        "the run has its record, with seed and versions"
    )
    assert COMMITTED.stat().st_size <= 100_000
    assert found["exact match"] > 0.99
    assert found["tested"] == 2000
    assert found["example"]["written"] == "1998-05-03"
    assert found["characters"] == dates.characters()


@pytest.fixture(scope="module")
def heads_page(tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]) -> str:
    text = "```{head-maps} attention\n```\n\n```{head-maps} embeddings\n```\n"
    book = make_book(tmp_path_factory.mktemp("heads") / "book", text)
    path = book / "records" / "attention" / "heads.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record), encoding="utf-8")
    return (build(book).parent / "chapters" / "index.html").as_uri()


def test_a_model_that_was_not_made_says_so(heads_page: str) -> None:
    text = Path(heads_page.removeprefix("file://")).read_text(encoding="utf-8")
    assert "Not run: there is no records/embeddings/heads.json" in text


def by_torch(model: Transformer, text: str, causal: bool, padding: bool) -> dict[str, Any]:
    """What the script computes: greedily written tokens, logits, and the maps of every attention."""
    source = torch.cat([dates.encode([text]), torch.zeros(1, PADDING, dtype=torch.long)], dim=1)
    readable = padding_mask(source, dates.PAD) if padding else torch.ones(1, 1, 1, source.shape[1]).bool()
    maps: dict[str, list[Tensor]] = {}

    def look(attention: MultiHeadAttention, arguments: tuple[Any, ...], _: Any) -> None:
        query, key, value, mask = arguments
        projected = attention.q_proj(query), attention.k_proj(key), attention.v_proj(value)
        q, k, v = (each.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for each in projected)
        maps.setdefault(names[attention], []).append(scaled_dot_product_attention(q, k, v, mask)[1][0])

    names = {layer.get_submodule("self_attention"): "encoder" for layer in model.encoder}
    names |= {layer.get_submodule("self_attention"): "decoder" for layer in model.decoder}
    names |= {layer.get_submodule("cross_attention"): "cross" for layer in model.decoder}
    hooks = [attention.register_forward_hook(look) for attention in names]
    with torch.no_grad():
        memory = model.encode(source, readable)
        written: list[int] = []
        while len(written) < dates.TARGET_LENGTH and dates.END not in written:
            maps["decoder"] = maps["cross"] = []
            maps["decoder"], maps["cross"] = [], []
            inputs = torch.tensor([[dates.START, *written]])
            length = inputs.shape[1]
            past = causal_mask(length) if causal else torch.ones(length, length).bool()
            logits = model.decode(inputs, memory, past, readable)[0]
            written.append(int(logits[-1].argmax()))
    for hook in hooks:
        hook.remove()
    if causal and padding:
        marks = {"start": dates.START, "end": dates.END, "max_length": dates.TARGET_LENGTH}
        assert greedy(model, source, **marks) == [written]
    return {"written": written, "logits": logits, **{kind: torch.stack(each) for kind, each in maps.items()}}


RUN = """([record, text, options]) => courseTransformer(record).run(text, options)"""


def characters_of(tokens: list[int]) -> list[str]:
    return [dates.decode([token]) for token in tokens if token != dates.END]


class TestInABrowser:
    pytestmark = in_browser

    @pytest.mark.parametrize(("causal", "padding"), ALL_MASKS)
    def test_the_script_computes_what_torch_computes(
        self,
        page: Any,
        heads_page: str,
        model: Transformer,
        record: dict[str, Any],
        causal: bool,
        padding: bool,
    ) -> None:
        page.goto(heads_page)
        options = {"padding": PADDING, "causalMask": causal, "paddingMask": padding}
        for text, _ in TEXTS:
            found = page.evaluate(RUN, [record, text, options])
            expected = by_torch(model, text, causal, padding)
            assert found["written"] == characters_of(expected["written"])
            torch.testing.assert_close(
                torch.tensor(found["logits"]), expected["logits"], atol=1e-4, rtol=1e-4
            )
            for kind in ("encoder", "decoder", "cross"):
                torch.testing.assert_close(
                    torch.tensor(found["maps"][kind]), expected[kind], atol=1e-5, rtol=1e-4
                )

    def test_the_committed_model_writes_in_the_browser_what_it_writes_in_torch(
        self, page: Any, heads_page: str
    ) -> None:
        page.goto(heads_page)
        found = read_model(COMMITTED)
        weights = {each["name"]: from_eight_bits(each) for each in found["weights"]}
        config = TransformerConfig(
            vocabulary_size=dates.vocabulary_size(),
            d_model=weights["source_embedding.weight"].shape[1],
            num_heads=found["num_heads"],
            d_ff=weights["encoder.0.linear_1.weight"].shape[0],
            encoder_layers=2,
            decoder_layers=2,
            norm_first=True,
        )
        trained = Transformer(config).eval()
        trained.load_state_dict(weights, strict=False)
        assert {name for name, _ in trained.named_parameters()} == set(weights)
        pairs = dates.date_pairs("test", 40, seed=0)
        marks = {"start": dates.START, "end": dates.END, "max_length": dates.TARGET_LENGTH}
        written = greedy(trained, dates.encode([text for text, _ in pairs]), **marks)
        for (text, _), tokens in zip(pairs, written, strict=True):
            assert "".join(page.evaluate(RUN, [found, text, {}])["written"]) == dates.decode(tokens)
        example = page.evaluate(RUN, [found, found["example"]["text"], {"padding": PADDING}])
        assert "".join(example["written"]) == found["example"]["written"]
        options = {"padding": PADDING, "paddingMask": False}
        open_to_padding = page.evaluate(RUN, [found, found["example"]["text"], options])
        assert open_to_padding["written"] != example["written"], "the lesson says: try it"
        cross = torch.tensor(example["maps"]["cross"])[..., :-PADDING]
        torch.testing.assert_close(cross, torch.tensor(found["example"]["weights"]), atol=6e-4, rtol=0)

    def test_arrow_keys_go_from_row_to_row_and_words_follow(
        self, page: Any, heads_page: str, model: Transformer, record: dict[str, Any]
    ) -> None:
        page.goto(heads_page)
        expected = by_torch(model, TEXTS[0][0], True, True)
        layer, head = sharpest(record["example"]["weights"])
        weights = expected["cross"][layer, head]
        said = page.locator(".course-heads-said")
        page.locator(".course-heads [role=option][tabindex='0']").focus()
        last = len(weights) - 1
        sharp = int(weights.amax(-1).argmax())
        way = [("", sharp), ("Home", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 0), ("End", last)]
        for key, row in [*way, ("ArrowDown", last)]:
            if key:
                page.keyboard.press(key)
            assert page.locator(".course-heads [aria-selected=true]").count() == 1
            strongest = weights[row].argmax()
            assert f"(position {strongest}) {weights[row, strongest]:.2f}," in said.inner_text()
            assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"

    def test_picture_and_table_are_one_map_and_heads_are_chosen_by_key(
        self, page: Any, heads_page: str, model: Transformer
    ) -> None:
        page.goto(heads_page)
        page.locator(".course-heads summary").click()
        page.locator(".course-heads select").select_option("encoder")
        expected = by_torch(model, TEXTS[0][0], True, True)["encoder"]
        page.locator(".course-heads input[type=radio]").first.focus()
        for layer, head in [(0, 1), (1, 0), (1, 1), (0, 0)]:
            page.keyboard.press("ArrowRight")
            caption = page.locator(".course-heads caption").inner_text()
            order = ("first", "second")[layer]
            assert caption == f"Self-attention of the encoder, {order} layer, head {head}, for 3 May 1998"
            weights = expected[layer, head, 2, :-PADDING]
            drawn = page.locator(".course-heads [role=option]").nth(2).locator(".course-heads-weight")
            opacity = drawn.evaluate_all("all => all.map(each => Number(each.getAttribute('fill-opacity')))")
            torch.testing.assert_close(torch.tensor(opacity), weights, atol=6e-4, rtol=0)
            cells = page.locator(".course-heads tbody tr").nth(2).inner_text().split("\t")
            assert cells == ["M", *(f"{weight:.2f}" for weight in weights), *["–"] * PADDING]

    def test_a_mask_that_is_off_shows_what_it_hid(
        self, page: Any, heads_page: str, model: Transformer, record: dict[str, Any]
    ) -> None:
        page.goto(heads_page)
        said, output = page.locator(".course-heads-said"), page.locator(".course-heads-output")
        strokes = page.locator(".course-heads-drawing [role=option] path")
        layer, head = sharpest(record["example"]["weights"])
        assert "Without" not in said.inner_text() + output.inner_text()
        page.get_by_label("padding").press("Space")
        expected = by_torch(model, TEXTS[0][0], True, False)
        share = round(100 * float(expected["cross"][layer, head][:, -PADDING:].sum(-1).mean()))
        assert strokes.count() == 0
        assert f"{share} % of the weight of this head lies on padding" in said.inner_text()
        assert output.inner_text().startswith("Without the padding mask, the model writes ")
        page.get_by_label("padding").press("Space")
        page.locator(".course-heads select").select_option("decoder")
        assert strokes.count() == dates.TARGET_LENGTH * (dates.TARGET_LENGTH - 1) / 2
        page.get_by_label("causal").press("Space")
        expected = by_torch(model, TEXTS[0][0], False, True)
        future = expected["decoder"][layer, head].triu(diagonal=1)
        share = round(100 * float(future.sum(-1).mean()))
        assert strokes.count() == 0
        assert f"{share} % of the weight of this head lies on what comes later" in said.inner_text()

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ("", "Type a date"),
            ("3 May 1998?", 'does not know the character "?"'),
            ("3 May 1998" * 4, "The text has 40 characters. The model has never read more than 30"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, page: Any, heads_page: str, typed: str, says: str) -> None:
        page.goto(heads_page)
        text, maps = page.locator(".course-heads [name=text]"), page.locator(".course-heads-maps")
        text.fill(typed)
        assert says in page.locator(".course-heads-problem").inner_text()
        assert not maps.is_visible()
        assert text.get_attribute("aria-invalid") == "true"
        text.fill("2003年2月1日")
        assert maps.is_visible()
        assert page.locator(".course-heads-problem").inner_text() == ""
        assert "年" in page.locator(".course-heads-drawing").inner_html()

    def test_the_example_is_there_without_scripts(
        self, browser: Any, heads_page: str, record: dict[str, Any]
    ) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(heads_page)
        assert page.locator(".course-heads noscript p").is_visible()
        assert not page.locator(".course-heads-view").is_visible()
        page.locator(".course-heads summary").click()
        layer, head = sharpest(record["example"]["weights"])
        rows = page.locator(".course-heads tbody tr").all_inner_texts()
        last = record["example"]["weights"][layer][head][-1]
        assert rows[-1].split("\t")[1:] == [f"{weight:.2f}" for weight in last]
        context.close()

    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
    @pytest.mark.parametrize("off", ["", "padding"])
    def test_the_heads_fit_and_are_accessible(
        self, browser: Any, heads_page: str, width: int, scheme: str, off: str
    ) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        page.goto(heads_page)
        page.locator(".course-heads [name=text]").fill("Mercredi 30 septembre 1998")
        if off:
            page.get_by_label(off).press("Space")
        page.locator(".course-heads select").select_option("encoder")
        page.locator(".course-heads summary").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        violations = axe.Axe().run(page).response["violations"]
        grave = [
            (each["id"], [node["html"][:120] for node in each["nodes"]])
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]
        assert grave == []
        context.close()
