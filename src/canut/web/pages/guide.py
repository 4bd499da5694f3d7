"""Instructions in Markdown as HTML that is safe to show, whoever wrote them."""

from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

#: headings of a page come first: a "#" of the instructions is a third level
HEADINGS_DOWN = 2
ATTRIBUTES = {
    "a": {"href", "title"},
    "div": {"class", "tabindex"},
    "th": {"align"},
    "td": {"align"},
    "ol": {"start"},
}
TAGS = {
    "a", "blockquote", "br", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def to_html(markdown: str) -> str:
    """HTML of a Markdown text: no raw HTML, no pictures, links that leak nothing."""
    return nh3.clean(
        _reader().render(markdown),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


class _Renderer(RendererHTML):
    """Tables wider than the screen scroll by themselves, by keyboard too."""

    def table_open(self, tokens: Sequence[Token], i: int, o: OptionsDict, e: EnvType) -> str:
        return '<div class="table-wrap" tabindex="0"><table>'

    def table_close(self, tokens: Sequence[Token], i: int, o: OptionsDict, e: EnvType) -> str:
        return "</table></div>"

    def heading_open(self, tokens: Sequence[Token], i: int, o: OptionsDict, e: EnvType) -> str:
        return f"<{_heading(tokens[i])}>"

    def heading_close(self, tokens: Sequence[Token], i: int, o: OptionsDict, e: EnvType) -> str:
        return f"</{_heading(tokens[i])}>"


def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")


def _heading(token: Token) -> str:
    return f"h{min(6, int(token.tag[1]) + HEADINGS_DOWN)}"
