# SPDX-License-Identifier: MIT
"""The program on a clip beside FFmpeg's filters and libvmaf's SSIM, on one thread each.

    python bench/python/clips.py build/tools/iqa [--frames 60] [--rounds 5]

All read the same two YUV4MPEG2 files; processor time counts. FFmpeg's own filter adds up blocks
(preset ffmpeg); libvmaf's SSIM has Wang's Gaussian window (preset wang2004) and looks at the luma
alone, where `iqa` measures all planes and gives PSNR and MSE too. Each peer's SSIM of the luma is
first compared with that of the same rule. The runs alternate, and the best of each counts. FFmpeg
is that of the package imageio-ffmpeg where it is installed, which has libvmaf in it, or else the
one on the path. This is the sibling of compare.py for what reads files. Prints Markdown.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from compare import processor

PIXELS = 1920 * 1080 * 3 // 2
WITHIN = {"ffmpeg": 1e-5, "wang2004": 1e-4}
"""How far the luma's SSIM may differ; libvmaf computes in float32 and has rounded its window."""


def find_ffmpeg():
    """The current one of a package, or that of the system."""
    try:
        import imageio_ffmpeg
    except ImportError:
        return shutil.which("ffmpeg")
    return imageio_ffmpeg.get_ffmpeg_exe()


def run(command):
    """Processor time of a command, and what it says."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)}\n{text}")
    return usage.ru_utime + usage.ru_stime, text


def make_clip(ffmpeg, path, pixels, change, frames):
    """A clip of FFmpeg's test picture."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25", "-frames:v", str(frames)]
    run(
        [ffmpeg, "-v", "error", "-nostdin", *source]
        + ["-vf", f"format={pixels},{change}", "-strict", "-1", path]
    )


def commands_of(program, ffmpeg, clips, log):
    """By preset, ours first: names, commands, and how the luma's SSIM is read from their words."""
    start = [ffmpeg, "-nostdin", "-threads", "1", "-filter_complex_threads", "1"]
    start += [part for clip in reversed(clips) for part in ("-threads", "1", "-i", clip)]
    both = "[0:v]split[a][b];[1:v]split[c][d];[a][c]ssim[e];[b][d]psnr[f]"
    nowhere = ["-f", "null", "-"]

    def ours(preset):
        command = [program, "compare", "--threads", "1", "--json", "--preset", preset, *clips]
        return command, lambda said: json.loads(said)["planes"][0]["ssim"]

    def of_filter(said):
        return float(re.findall(r"SSIM Y:([0-9.]+)", said)[0])

    found = {
        "ffmpeg": {
            "`iqa`, SSIM and PSNR": ours("ffmpeg"),
            "FFmpeg, SSIM": ([*start, "-lavfi", "ssim", *nowhere], of_filter),
            "FFmpeg, SSIM and PSNR": (
                [*start, "-lavfi", both, "-map", "[e]", *nowhere, "-map", "[f]", *nowhere],
                of_filter,
            ),
        }
    }
    if "libvmaf" in run([ffmpeg, "-hide_banner", "-filters"])[1]:
        only_ssim = f"libvmaf=model=:feature=name=float_ssim\\\\:scale=1:n_threads=1:log_path={log}"
        found["wang2004"] = {
            "`iqa`, SSIM and PSNR": ours("wang2004"),
            "libvmaf, SSIM of the luma": (
                [*start, "-lavfi", f"{only_ssim}:log_fmt=json", *nowhere],
                lambda _: json.loads(Path(log).read_text())["pooled_metrics"]["float_ssim"]["mean"],
            ),
        }
    return found


def main():
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", help="the program iqa")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    ffmpeg = find_ffmpeg()
    if ffmpeg is None:
        raise SystemExit("there is no FFmpeg")
    version = re.findall(r"version (\S+)", run([ffmpeg, "-version"])[1])[0]
    own = run([chosen.program, "--version"])[1].split()[-1]
    print(
        f"{chosen.frames} frames of 1080p 4:2:0, one thread, processor time. {processor()}, load"
        f" {os.getloadavg()[0]:.1f}; iqa {own}, FFmpeg {version}.\n"
    )
    print("| clip | preset | | s | Mpx/s | |\n|---|---|---|---|---|---|")
    for pixels in ("yuv420p", "yuv420p10le"):
        with tempfile.TemporaryDirectory() as folder:
            clips = [str(Path(folder) / name) for name in ("reference.y4m", "test.y4m")]
            make_clip(ffmpeg, clips[0], pixels, "null", chosen.frames)
            make_clip(ffmpeg, clips[1], pixels, "gblur=sigma=0.6", chosen.frames)
            by_preset = commands_of(chosen.program, ffmpeg, clips, str(Path(folder) / "log.json"))
            for preset, commands in by_preset.items():
                values = {name: read(run(command)[1]) for name, (command, read) in commands.items()}
                expected = next(iter(values.values()))
                for name, value in values.items():
                    if not abs(value - expected) <= WITHIN[preset]:
                        raise SystemExit(f"{name}, {pixels}: {value} beside {expected}")
                best = dict.fromkeys(commands, float("inf"))
                for _ in range(chosen.rounds):
                    for name, (command, _) in commands.items():
                        best[name] = min(best[name], run(command)[0])
                first = next(iter(best.values()))
                for name, seconds in best.items():
                    speed = chosen.frames * PIXELS / seconds / 1e6
                    ratio = "" if seconds == first else f"{seconds / first:.1f}x"
                    cells = [pixels, preset, name, f"{seconds:.3f}", f"{speed:.0f}", ratio]
                    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
