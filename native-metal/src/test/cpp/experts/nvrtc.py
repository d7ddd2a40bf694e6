"""Compiles kernels as MLX does it on CUDA, for an H100 and, to look at what was made of them, for the virtual machine of NVIDIA's first tensor cores."""

import ctypes
import pathlib
import sys

import nvidia.cuda_cccl
import nvidia.cuda_nvrtc
import nvidia.cuda_runtime

# what MLX puts before a kernel, as far as these kernels need it
PRELUDE = """#include <cuda/std/cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cooperative_groups.h>
using cuda::std::int32_t;
using cuda::std::int64_t;
using cuda::std::uint32_t;
using cuda::std::uint8_t;
"""


def folder(package: object, name: str) -> pathlib.Path:
    return pathlib.Path(next(iter(package.__path__))) / name


nvrtc = ctypes.CDLL(str(next(folder(nvidia.cuda_nvrtc, "lib").glob("libnvrtc.so.*"))))


def text_of(program: ctypes.c_void_p, what: str) -> str:
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value + 1)
    getattr(nvrtc, f"nvrtcGet{what}")(program, text)
    return text.value.decode()


def compiled(file: pathlib.Path, architecture: str) -> str | None:
    """Assembly, or nothing for a real GPU; ends the process where the compiler has anything to say."""
    program = ctypes.c_void_p()
    source = PRELUDE + f'#line 1 "{file.name}"\n' + file.read_text()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), file.name.encode(), 0, None, None)
    includes = [folder(package, "include") for package in (nvidia.cuda_runtime, nvidia.cuda_cccl)]
    options = [f"--gpu-architecture={architecture}", *(f"--include-path={include}" for include in includes)]
    status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options)))
    log = text_of(program, "ProgramLog")
    if status or log.strip():
        sys.exit(f"native-metal: NVRTC does not take {file} for {architecture}: {log}")
    return text_of(program, "PTX") if architecture.startswith("compute") else None


def main() -> None:
    files = [pathlib.Path(name) for name in sys.argv[1:]]
    for file in files:
        compiled(file, "sm_90")
        assembly = compiled(file, "compute_75")
        if ".f64" in assembly:
            sys.exit(f"native-metal: {file} computes with doubles")
        if ".local" in assembly:
            sys.exit(f"native-metal: {file} keeps numbers in memory that should be in registers")
    print(f"native-metal: NVRTC compiles the {len(files)} pairs of expert kernels for CUDA, without doubles and with all numbers in registers; none has run")


main()
