#!/usr/bin/env python3
"""Repository report: git and file statistics of a folder, as agent lines.

The folder is the argument `path`, or the task's text. Try it by hand:
  echo '{"input":{"text":"."}}' | ./report.py
"""
import collections
import json
import os
import subprocess
import sys

LANGUAGES = {
    ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".hpp": "C++", ".py": "Python", ".js": "JavaScript",
    ".mjs": "JavaScript", ".ts": "TypeScript", ".tsx": "TypeScript", ".go": "Go", ".rs": "Rust", ".java": "Java",
    ".rb": "Ruby", ".php": "PHP", ".pl": "Perl", ".sh": "Shell", ".sql": "SQL", ".html": "HTML", ".css": "CSS",
    ".md": "Markdown", ".json": "JSON", ".yml": "YAML", ".yaml": "YAML", ".toml": "TOML", ".xml": "XML",
}
SKIPPED = {".git", "node_modules", "target", "dist", "__pycache__", ".venv"}
STEPS = 4


def say(event):
    print(json.dumps(event), flush=True)


def step(number, message):
    say({"progress": {"value": number, "total": STEPS, "message": message}})


def git(folder, *arguments):
    """A git command's lines, or None where the folder is no checkout."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, errors="replace")
    return done.stdout.splitlines() if done.returncode == 0 else None


def list_files(folder):
    """What git tracks; outside a checkout, every file below the folder."""
    tracked = git(folder, "ls-files", "-z")
    if tracked is not None:
        names = "\n".join(tracked).split("\0")
        return [name for name in names if name and os.path.isfile(os.path.join(folder, name))]
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in SKIPPED)
        found += [os.path.relpath(os.path.join(place, name), folder) for name in sorted(names)]
    return [name for name in found if os.path.isfile(os.path.join(folder, name))]


def count_lines(path):
    """Lines of a text file; None for a binary one."""
    lines = 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            if b"\0" in piece:
                return None
            lines += piece.count(b"\n")
    return lines


def measure(folder, names):
    languages = collections.Counter()
    sizes = []
    total = 0
    for name in names:
        path = os.path.join(folder, name)
        try:
            sizes.append((os.path.getsize(path), name))
            lines = count_lines(path)
        except OSError as error:
            say({"log": {"level": "warning", "text": f"{name}: {error.strerror}"}})
            continue
        if lines is not None:
            total += lines
            languages[LANGUAGES.get(os.path.splitext(name)[1].lower(), "other")] += lines
    return languages, sorted(sizes, reverse=True)[:5], total


def history(folder):
    commits = git(folder, "log", "--format=%ae%x09%cs")
    if not commits:
        return {"commits": 0, "authors": 0}
    authors = {line.split("\t")[0] for line in commits}
    days = [line.split("\t")[1] for line in commits]
    branch = git(folder, "rev-parse", "--abbrev-ref", "HEAD") or ["?"]
    changed = git(folder, "status", "--porcelain") or []
    return {"commits": len(commits), "authors": len(authors), "first": min(days), "last": max(days),
            "branch": branch[0], "uncommitted": len(changed)}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def markdown(folder, names, lines, languages, biggest, past):
    parts = [f"# {os.path.basename(os.path.abspath(folder))}", f"{len(names)} files, {lines} lines of text."]
    if past["commits"]:
        parts.append(f"{past['commits']} commits by {past['authors']} authors, {past['first']} to {past['last']}, "
                     f"on branch `{past['branch']}`; {past['uncommitted']} uncommitted changes.")
    else:
        parts.append("No git history.")
    parts.append("## Languages\n\n" + table(["language", "lines"], languages.most_common(12)))
    parts.append("## Biggest files\n\n" + table(["file", "bytes"], [(f"`{name}`", size) for size, name in biggest]))
    return "\n\n".join(parts) + "\n"


def main():
    task = json.loads(sys.stdin.readline())
    folder = (task.get("arguments") or {}).get("path") or task["input"].get("text", "").strip() or "."
    folder = os.path.expanduser(folder)
    if not os.path.isdir(folder):
        say({"failed": f"There is no folder \"{folder}\": give the path of one on this machine"})
        return
    step(1, "listing files")
    names = list_files(folder)
    step(2, f"counting lines of {len(names)} files")
    languages, biggest, lines = measure(folder, names)
    step(3, "reading the history")
    past = history(folder)
    step(4, "writing the report")
    text = markdown(folder, names, lines, languages, biggest, past)
    say({"artifact": {"id": "report", "name": "report.md", "description": "The whole report",
                      "parts": [{"text": text, "media_type": "text/markdown", "filename": "report.md"}]}})
    top = ", ".join(f"{name} {count}" for name, count in languages.most_common(3)) or "no text"
    data = {"files": len(names), "lines": lines, "languages": dict(languages), **past}
    say({"result": {"text": f"{len(names)} files, {lines} lines ({top}), {past['commits']} commits.", "data": data}})


main()
