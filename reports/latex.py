"""A document as LaTeX that compiles with Debian's texlive: theorem environments, booktabs, figures as PDF, BibTeX."""

import re

from reports.blocks import Block, Bullets, Display, Document, Environment, Figure, Heading, Line, Listing, Paragraph, Table
from reports.escaping import one_line

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern,amsmath,amssymb,amsthm,booktabs,longtable,array,graphicx,microtype,titlesec}
\usepackage[hmargin=17mm,vmargin={14mm,17mm},footskip=8mm]{geometry}
\usepackage[hidelinks]{hyperref}
\newtheorem{theorem}{Theorem}
\newtheorem{lemma}{Lemma}
\theoremstyle{definition}
\newtheorem{definition}{Definition}
\newcommand{\relu}{\operatorname{relu}}
\newsavebox{\drawing}
\newcommand{\shown}[1]{\sbox{\drawing}{\includegraphics{#1}}%
\ifdim\wd\drawing>\linewidth\includegraphics[width=\linewidth,height=0.8\textheight,keepaspectratio]{#1}\else\usebox{\drawing}\fi}
\titlespacing*{\section}{0pt}{8pt plus 2pt}{3pt}
\titlespacing*{\subsection}{0pt}{6pt plus 2pt}{2pt}
\setlength{\parindent}{0pt}\setlength{\parskip}{3pt plus 1pt}
\setlength{\topsep}{3pt plus 1pt}\setlength{\partopsep}{0pt}
\AtBeginDocument{\abovedisplayskip=3pt plus 2pt\belowdisplayskip=3pt plus 2pt\abovedisplayshortskip=1pt\belowdisplayshortskip=3pt}
\setlength{\emergencystretch}{4em}\hbadness=10000\vbadness=10000
\allowdisplaybreaks
"""

_PLAIN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # after \\item or the end of a row a bracket or a star would be its argument
    "]": "{]}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    "“": "``",
    "”": "''",
    "–": "--",
    "·": r"\(\cdot\)",
    "×": r"\(\times\)",
    "−": r"\(-\)",
    "≠": r"\(\ne\)",
    "≤": r"\(\le\)",
    "≥": r"\(\ge\)",
    "≈": r"\(\approx\)",
    "→": r"\(\to\)",
    "²": r"\(^2\)",
    "ö": r"\"o",
    "§": r"\S{}",
}
_FORMULA = {
    "Σ": r"\sum",
    "≠": r"\ne ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "∈": r"\in ",
    "α": r"\alpha ",
    "β": r"\beta ",
    "μ": r"\mu ",
    "λ": r"\lambda ",
    "φ": r"\varphi ",
    "χ": r"\chi ",
    "×": r"\times ",
    "·": r"\cdot ",
    "−": "-",
    "→": r"\to ",
    "…": r"\dots ",
    "⁻¹": "^{-1}",
    "²": "^2",
    "³": "^3",
    "ᵀ": r"^{\mathsf T}",
    "{": r"\{",
    "}": r"\}",
    "′": "'",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "|": "|",
}


UPRIGHT = {"max": r"\max ", "min": r"\min ", "relu": r"\relu ", "logit": r"\mathrm{logit}", "votes": r"\mathrm{votes}"}


def plain(value: str) -> str:
    """A text as LaTeX that shows it as it is; a character that the fonts lack is a question mark."""
    found = ""
    for character in one_line(value):
        shown = _PLAIN.get(character, character)
        found += shown if character in _PLAIN or ord(character) < 256 else "?"
    return found


def formula(value: str) -> str:
    """A formula in Unicode as LaTeX's mathematics: words upright, indices after ``_``."""
    found = one_line(value).replace("\\", "")
    parts = re.split(r"([A-Za-z]{2,})", found)
    for k, part in enumerate(parts):
        if k % 2:
            parts[k] = UPRIGHT.get(part, part)
        else:
            parts[k] = re.sub("|".join(map(re.escape, _FORMULA)), lambda match: _FORMULA[match[0]], part)
    return "".join(parts)


def line(spans: Line) -> str:
    """A line as LaTeX."""
    found = ""
    for content, style in spans:
        if style == "math":
            found += rf"\({formula(content)}\)"
        else:
            command = {"strong": r"\textbf", "emph": r"\emph", "code": r"\texttt"}.get(style)
            shown = plain(content)
            if style == "code" and len(content) > 40:  # a digest, which may end a line anywhere
                shown = r"\allowbreak{}".join(map(plain, re.findall(r".{1,8}", content)))
            found += rf"{command}{{{shown}}}" if command else shown
    return found


def latex(document: Document, bibliography: str, appendices: tuple[str, ...] = ()) -> str:
    """A whole document; ``appendices`` are the names of files that it takes in at its end."""
    parts = [
        PREAMBLE,
        rf"\title{{\vspace{{-16mm}}{line(document.title)}}}",
        r"\date{}",
        r"\begin{document}",
        r"\maketitle",
        r"\vspace{-18mm}",
    ]
    parts += [_block(block) for block in document.blocks]
    if appendices:
        parts += [r"\clearpage\appendix", *(rf"\input{{{name}}}" for name in appendices)]
    parts += [r"\nocite{*}", r"\bibliographystyle{plain}", rf"\bibliography{{{bibliography}}}"]
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def latex_part(document: Document) -> str:
    """A document as a part of another: its title is a section."""
    return "\n\n".join([rf"\section{{{line(document.title)}}}", *(_block(block) for block in document.blocks)]) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return rf"\{'sub' * (block.level - 2)}section{{{line(block.line)}}}"
    if isinstance(block, Paragraph):
        return line(block.line)
    if isinstance(block, Display):
        return rf"\[ {formula(block.formula)} \]"
    if isinstance(block, Bullets):
        points = "\n".join(rf"\item {line(point)}" for point in block.lines)
        return f"\\begin{{itemize}}\\setlength{{\\itemsep}}{{0pt}}\\setlength{{\\parskip}}{{1pt}}\n{points}\n\\end{{itemize}}"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        return _figure(block)
    if isinstance(block, Listing):
        return f"\\begin{{quote}}\\small\n\\begin{{verbatim}}\n{block.text}\n\\end{{verbatim}}\n\\end{{quote}}"
    return _environment(block)


def _figure(block: Figure) -> str:
    return (
        "\\begin{center}\n"
        rf"\shown{{figures/{block.name}.pdf}}"
        "\\\\\n"
        rf"\small\textbf{{Figure {block.number}.}} {line(block.caption)}"
        "\n\\end{center}"
    )


def _columns(block: Table) -> str:
    """Columns as wide as they are, but for those with long cells, which share the width of the page."""
    longest = [
        max([sum(len(s.text) for s in cell) for cell in column], default=0) for column in zip(block.head, *block.rows, strict=True)
    ]
    if sum(longest) <= 100:
        return block.align
    wide = [k for k, size in enumerate(longest) if size > 18 and block.align[k] == "l"]
    rest = sum(size for k, size in enumerate(longest) if k not in wide)
    room = max(0.3, 0.94 - rest / 112 - 0.02 * len(longest))
    total = sum(longest[k] for k in wide) or 1
    return "".join(
        rf">{{\raggedright\arraybackslash}}p{{{room * longest[k] / total:.3f}\linewidth}}" if k in wide else block.align[k]
        for k in range(len(longest))
    )


def _table(block: Table) -> str:
    head = " & ".join(map(line, block.head)) + r" \\"
    rows = "\n".join(" & ".join(map(line, row)) + r" \\" for row in block.rows)
    columns = _columns(block)
    caption = f"{line(block.caption)}\n\n" if block.caption else ""
    if block.long:
        return (
            f"{caption}{{\\scriptsize\\setlength{{\\tabcolsep}}{{3pt}}\n\\begin{{longtable}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{head}\n\\midrule\n"
            f"\\endhead\n\\bottomrule\n\\endfoot\n{rows}\n\\end{{longtable}}}}"
        )
    return (
        f"{caption}\\begin{{center}}\\footnotesize\\setlength{{\\tabcolsep}}{{5pt}}\n\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n\\toprule\n"
        f"{head}\n\\midrule\n{rows}\n\\bottomrule\n\\end{{tabular}}\n\\end{{center}}"
    )


def _environment(block: Environment) -> str:
    name = block.kind.lower()
    title = f"[{{{line(block.title)}}}]" if block.title else ""
    body = "\n\n".join(map(_block, block.blocks))
    counter = "" if block.number is None else f"\\setcounter{{{name}}}{{{block.number - 1}}}\n"
    size = "\\small\n" if block.kind == "Proof" else ""
    return f"{counter}\\begin{{{name}}}{title}{size}\n{body}\n\\end{{{name}}}"
