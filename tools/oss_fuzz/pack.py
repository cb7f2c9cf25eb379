"""pack.py TAR NAME PROGRAM CORPUS [--dictionary FILE] [--options FILE]: what a fuzzing service wants of a target, as a tar.

NAME                  the program
NAME_seed_corpus.zip  the files of the folder CORPUS, under the hashes of their contents
NAME.dict             the dictionary
NAME.options          options for the engine and the sanitizers
lib/                  the shared libraries that the program needs, but for the C library's: where the service runs it there
                      are no others. The program looks for them there.

The same files make the same tar.
"""

import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile

# Of glibc, and so on every machine.
BASE_LIBRARIES = re.compile(r"^(linux-vdso|ld-linux|libc\.|libm\.|libpthread\.|libdl\.|librt\.|libutil\.|libresolv\.)")


def shared_libraries(program):
    """(name, path) of each shared library that is to be brought along."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if "not a dynamic executable" in listing.stdout + listing.stderr:
        return []
    if listing.returncode != 0:
        raise SystemExit(f"pack.py: ldd {program}: {listing.stderr.strip()}")
    found = []
    for line in listing.stdout.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if not arrow or BASE_LIBRARIES.match(name):
            continue
        if path.startswith("not found"):
            raise SystemExit(f"pack.py: {program} needs {name}, which is not installed")
        found.append((name, path.split(" (")[0]))
    return sorted(found)


def zipped(folder):
    """The files of a folder as the bytes of a zip file."""
    contents = {}
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                content = file.read()
            contents[hashlib.sha1(content).hexdigest()] = content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name), contents[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("tar", "name", "program", "corpus"):
        parser.add_argument(name)
    parser.add_argument("--dictionary")
    parser.add_argument("--options")
    arguments = parser.parse_args()
    name = arguments.name
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise SystemExit(f"pack.py: {name}: the services want names of letters, digits, _ and - only")

    members = [(name, read(arguments.program), 0o755), (name + "_seed_corpus.zip", zipped(arguments.corpus), 0o644)]
    if arguments.dictionary:
        members.append((name + ".dict", read(arguments.dictionary), 0o644))
    if arguments.options:
        members.append((name + ".options", read(arguments.options), 0o644))
    members += [("lib/" + library, read(path), 0o755) for library, path in shared_libraries(arguments.program)]

    with tarfile.open(arguments.tar, "w") as archive:
        for member, content, mode in members:
            info = tarfile.TarInfo(member)
            info.size = len(content)
            info.mode = mode
            archive.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
