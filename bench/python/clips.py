# SPDX-License-Identifier: MIT
"""The program on a clip beside FFmpeg's filters, in processor time of one thread each.

    python bench/python/clips.py build/tools/iqa [FRAMES]

Both read the same two YUV4MPEG2 files. `iqa` always gives SSIM, PSNR and MSE of every frame; FFmpeg
runs its filter ssim, and then ssim and psnr together. The runs alternate, and the best of each counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
PIXELS = 1920 * 1080 * 3 // 2


def seconds(command: list[str]) -> float:
    """Processor time of a command."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def make_clip(path: str, pixels: str, change: str, frames: int) -> None:
    """A clip of FFmpeg's test picture."""
    subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=1920x1080:rate=25",
        ]
        + ["-frames:v", str(frames), "-vf", f"format={pixels},{change}", "-strict", "-1", path],
        check=True,
    )


def main() -> None:
    """Prints one table."""
    program, frames = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
    print(f"{frames} frames of 1080p 4:2:0, one thread; load {os.getloadavg()[0]:.1f}")
    for pixels in ("yuv420p", "yuv420p10le"):
        with tempfile.TemporaryDirectory() as folder:
            clips = [str(Path(folder) / name) for name in ("reference.y4m", "test.y4m")]
            make_clip(clips[0], pixels, "null", frames)
            make_clip(clips[1], pixels, "gblur=sigma=0.6", frames)
            both = "[0:v]split[a][b];[1:v]split[c][d];[a][c]ssim[e];[b][d]psnr[f]"
            start = ["ffmpeg", "-nostdin", "-threads", "1", "-filter_complex_threads", "1"]
            start += [part for clip in reversed(clips) for part in ("-threads", "1", "-i", clip)]
            commands = {
                "iqa ssim+psnr": [
                    program,
                    "compare",
                    "--threads",
                    "1",
                    "--preset",
                    "ffmpeg",
                    *clips,
                ],
                "FFmpeg ssim": [*start, "-lavfi", "ssim", "-f", "null", "-"],
                "FFmpeg ssim+psnr": [*start, "-lavfi", both]
                + [
                    part
                    for output in ("[e]", "[f]")
                    for part in ("-map", output, "-f", "null", "-")
                ],
            }
            best = dict.fromkeys(commands, float("inf"))
            for _ in range(ROUNDS):
                for name, command in commands.items():
                    best[name] = min(best[name], seconds(command))
            own = best["iqa ssim+psnr"]
            for name, time in best.items():
                speed = frames * PIXELS / time / 1e6
                print(
                    f"{pixels:12} {name:18} {time:6.3f} s  {speed:6.0f} Mpx/s  {time / own:5.2f} x"
                )


if __name__ == "__main__":
    main()
