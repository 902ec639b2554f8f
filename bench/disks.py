"""The disk that a benchmark's data lies on."""

import contextlib
import pathlib
import subprocess
import tempfile

SIZE = 12 << 30  # of a file without content


def has_ext4_without_journal(path):
    found = subprocess.run(["findmnt", "-no", "FSTYPE,SOURCE", "-T", str(path)], capture_output=True, text=True).stdout.split()
    return len(found) == 2 and found[0] == "ext4" and not list(pathlib.Path("/proc/fs/jbd2").glob(pathlib.Path(found[1]).name + "-*"))


@contextlib.contextmanager
def ordinary():
    """A directory for data, and what it lies on.

    The kernel does not use an inode of an ext4 without a journal again for minutes after its file was deleted, and looks at
    each of those for every file that is made: 5,000 files take 80 ms, and 3 s after 15,000 were deleted. Such disks are of
    test machines; ours is made in a file then, as mkfs makes it.
    """
    if not has_ext4_without_journal(tempfile.gettempdir()):
        yield None, "this machine's own disk"
        return
    with tempfile.TemporaryDirectory(prefix="renga-bench-") as directory:
        image, place = pathlib.Path(directory, "disk"), pathlib.Path(directory, "mounted")
        place.mkdir()
        with open(image, "wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        try:
            yield str(place), "an ext4 in a file: this machine's own has no journal"
        finally:
            subprocess.run(["umount", place], check=True)
