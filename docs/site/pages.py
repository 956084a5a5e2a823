# SPDX-License-Identifier: MIT
"""What the site is made of, as a hook of MkDocs: the repository's own pages where they are, the C reference from the
header, the Python reference from docstrings, notebooks, and the sources that pages link to.

Every page has its path in the repository as its name, so that relative links mean the same here and there. The address
of a page of docs/ leaves that folder out.
"""

import json
import pathlib
import posixpath
import re
import subprocess
import sys

import griffe
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.utils import get_relative_url

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import c_reference  # noqa: E402

INDEX = "docs/README.md"
ABOUT = "README.md"
C_REFERENCE = "docs/reference/c"
PYTHON_REFERENCE = "docs/reference/python"
# Links to these sources lead to what is made of them.
REFERENCES = {"include/iqa_c.h": C_REFERENCE, "bindings/python/src/iqa/__init__.py": PYTHON_REFERENCE}
# Pages of the Python reference that several modules share; another module has a page of its own.
PYTHON_PAGES = {
    "SSIM": ("_ssim", "_presets"),
    "PSNR and mean errors": ("_psnr", "_mean_errors"),
    "Labels": ("_confusion",),
    "FID, KID, PRDC, Inception Score": ("_fid", "_inception", "_kid", "_prdc", "_rows"),
    "Every metric": ("_metric", "_collection", "_outputs"),
    "Tables and plots": ("_report", "_plot"),
    "Context and errors": ("_context", "_library", "_errors"),
}
LANGUAGES = {".py": "python", ".h": "c", ".hpp": "cpp", ".cpp": "cpp", ".sh": "bash", ".yml": "yaml", ".toml": "toml"}

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()([^()\s#]+)([^()\s]*\))")
CODE = re.compile(r"<code>([\w./-]+?)(\(\)|\.\.\.)?</code>(?!</a>)")

symbols = {}  # name in the C or Python API, which is its anchor too: page


def tracked(*patterns):
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True).stdout
    return sorted(name for name in listed.splitlines() if (ROOT / name).is_file())


def address(path):
    """Where a page of the repository stands in the site."""
    if path == ABOUT:
        return "about/index.html"
    path = path.removeprefix("docs/")
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "index.html" if name == "README.md" else f"{name.removesuffix('.md')}/index.html")


def links_of(path, text):
    for link in LINK.findall(FENCE.sub("", text)):
        if ":" not in link[1]:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), link[1]))


# ---- Pages that are made -------------------------------------------------------------------------------------------


def source_page(path):
    language = LANGUAGES.get(pathlib.Path(path).suffix, "text")
    return f"# {posixpath.basename(path)}\n\n`{path}`\n\n````{language}\n{(ROOT / path).read_text().rstrip()}\n````\n"


def output_of(data):
    """What a notebook's cell gave, as Markdown."""
    if "image/png" in data:
        return f"![]({'data:image/png;base64,' + ''.join(data['image/png']).replace(chr(10), '')})"
    return f"```text\n{''.join(data.get('text/plain', data.get('text', ''))).rstrip()}\n```"


def notebook_page(path):
    blocks = []
    for cell in json.loads((ROOT / path).read_text())["cells"]:
        text = "".join(cell["source"])
        blocks.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        blocks += [output_of(output.get("data", output)) for output in cell.get("outputs", ())]
    return "\n\n".join(blocks) + "\n"


def python_modules():
    """Modules of the package with what they export: its own names by __all__, and those that are imported on demand."""
    package = griffe.load("iqa", search_paths=[ROOT / "bindings" / "python" / "src"])
    exported = {}
    for name in map(str, package.exports):
        place = package.members[name]
        module = place.target_path.split(".")[1] if place.is_alias else ""
        exported.setdefault(module, []).append(f"iqa.{name}")
    for name, module in package.modules.items():
        if not name.startswith("_"):
            members = [m for m in module.members.values() if m.name[0] != "_" and not m.is_alias]
            names = module.exports or [m.name for m in members if m.is_function or m.is_class]
            exported[name] = [f"iqa.{name}.{exported_name}" for exported_name in names]
    return package, exported


def python_pages():
    package, exported = python_modules()
    titles = {module: title for title, modules in PYTHON_PAGES.items() for module in modules}
    groups = {title: [] for title in PYTHON_PAGES}
    words = {}  # of modules that are imported on demand
    for module, names in exported.items():
        text = package.modules[module].docstring.value
        title = titles.get(module, text.partition("\n")[0].rstrip(".") if module[0] == "_" else f"iqa.{module}")
        groups.setdefault(title, []).extend(names)
        if module[0] != "_":
            words[title] = f"{text}\n\n"
    rows = []
    for title, names in groups.items():
        file = re.sub(r"\W+", "_", title.removeprefix("iqa.")).lower() + ".md"
        path = f"{PYTHON_REFERENCE}/{file}"
        symbols.update(dict.fromkeys(names, path))
        names.sort(key=lambda name: (not name.rpartition(".")[2].islower(), name))  # functions first
        yield path, f"# {title}\n\n{words.get(title, '')}" + "\n\n".join(f"::: {name}" for name in names) + "\n"
        rows.append(f"| [{title}]({file}) | {', '.join(f'`{name}`' for name in names)} |")
    text = "\n".join(["| page | what is there |", "|---|---|", *rows])
    yield f"{PYTHON_REFERENCE}/README.md", f"# The Python API\n\n{package.docstring.value}\n\n{text}\n"


def c_pages():
    pages, places = c_reference.pages((ROOT / "include" / "iqa_c.h").read_text())
    symbols.update((name, f"{C_REFERENCE}/{page}") for name, page in places.items())
    return ((f"{C_REFERENCE}/{name}", text) for name, text in pages.items())


# ---- The whole ------------------------------------------------------------------------------------------------------


def navigation(paths):
    """Guides and references in the order in which the index names them, other pages in that of `paths`."""
    index = list(dict.fromkeys(links_of(INDEX, (ROOT / INDEX).read_text())))

    def below(folder):
        inside = [path for path in paths if path.startswith(f"{folder}/")]
        return sorted(inside, key=lambda path: index.index(path) if path in index else len(index))

    def with_front(folder):
        front = f"{folder}/README.md"
        return [path for path in [front] if path in paths] + [path for path in below(folder) if path != front]

    made = (f"{C_REFERENCE}/", f"{PYTHON_REFERENCE}/")
    reference = [path for path in below("docs/reference") if not path.startswith(made)]
    decisions = with_front("docs/design/decisions")
    design = [path for path in with_front("docs/design") if path not in decisions]
    sections = [
        {"Where to look": INDEX},
        {"Guide": below("docs/guide")},
        *([{"Examples": with_front("examples")}] if below("examples") else []),
        {"Reference": [{"C": with_front(C_REFERENCE)}, {"Python": with_front(PYTHON_REFERENCE)}, *reference]},
        {"Design": [*design, {"Decisions": decisions}]},
        {"About": [ABOUT, *[path for path in paths if "/" not in path and path != ABOUT]]},
    ]
    named = re.findall(r"[\w./-]+\.md", str(sections))
    sections[-2]["Design"].append({"Folders": [path for path in paths if path not in named]})
    return sections


def on_files(files, config):
    symbols.clear()
    pages = {path: (ROOT / path).read_text() for path in tracked("*.md") if path[0] != "."}
    pages.update((f"{path}.md", notebook_page(path)) for path in tracked("examples/*.ipynb"))
    pages.update((f"{path}.md", source_page(path)) for path in tracked("examples/*.py"))
    linked = {target for path, text in list(pages.items()) for target in links_of(path, text)}
    found = Files(list(files))
    sources = {}
    for target in sorted(linked - pages.keys()):
        if pathlib.Path(target).suffix in (".png", ".jpg", ".svg"):
            found.append(File.generated(config, target, abs_src_path=str(ROOT / target)))
        elif (ROOT / target).is_file() and f"{target}.md" not in pages:
            sources[f"{target}.md"] = source_page(target)
    pages.update(c_pages())
    pages.update(python_pages())
    for path, text in {**pages, **sources}.items():
        level = InclusionLevel.NOT_IN_NAV if path in sources else InclusionLevel.INCLUDED
        file = File.generated(config, path, content=text, inclusion=level)
        file.dest_uri = address(path)
        found.append(file)
    config.nav = navigation([path for path in pages if path not in sources])
    return found


def on_page_markdown(markdown, page, config, files):
    """Links to sources and notebooks lead to their pages."""
    if page.file.src_uri == INDEX:
        page.meta["hide"] = ["navigation"]

    def lead(match):
        folder = posixpath.dirname(page.file.src_uri)
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        if target in REFERENCES and folder != REFERENCES[target]:
            return f"{match[1]}{posixpath.relpath(REFERENCES[target] + '/README.md', folder)}{match[3]}"
        is_made = files.get_file_from_path(f"{target}.md") is not None
        return f"{match[1]}{match[2]}.md{match[3]}" if is_made else match[0]

    return LINK.sub(lead, markdown)


def on_page_content(html, page, config, files):
    """Code that is a name of an API leads to its place in the reference, and a page's name to the page."""

    def lead(match):
        name = match[1]
        if match[2] == "...":  # IQA_LAYOUT_...: the enum of such constants
            name = next((constant for constant in symbols if constant.startswith(name)), name)
        if f"iqa.{name}" in symbols and page.file.src_uri.startswith(PYTHON_REFERENCE):
            name = f"iqa.{name}"
        path = symbols.get(name, name)
        file = files.get_file_from_path(path) if path.endswith(".md") else None
        if file is None or file is page.file and path == name:
            return match[0]
        url = get_relative_url(file.url, page.url)
        return f'<a href="{url}{"" if path == name else "#" + name}">{match[0]}</a>'

    parts = re.split(r"(<h[1-6].*?</h[1-6]>|<a\b.*?</a>|<span id=.*?</span>)", html, flags=re.DOTALL)
    parts[::2] = [CODE.sub(lead, part) for part in parts[::2]]
    return "".join(parts)
