"""Looks into Mach-O files of macOS (arm64), as the cross build needs it: what <mach-o/loader.h>, <mach-o/nlist.h> and <Kernel/kern/cs_blobs.h> define.

darwin.py stub OBJECT... LIBMLX STUB    writes a text stub of the system's C++ library with the symbols that the objects need of it
darwin.py check LIBRARY LIBMLX...       fails unless every symbol that the library binds is there: of MLX in each libmlx.dylib, of the C++ library in macOS 14
"""

import struct
import sys
from pathlib import Path

SYSTEM_CXX = "/usr/lib/libc++.1.dylib"
MAGIC_64, ARM64 = 0xFEEDFACF, 0x0100000C
LC_SYMTAB, LC_LOAD_DYLIB, LC_CODE_SIGNATURE, LC_RPATH, LC_BUILD_VERSION = 0x2, 0xC, 0x1D, 0x8000001C, 0x32
N_STAB, N_TYPE, N_EXT, N_UNDF = 0xE0, 0x0E, 0x01, 0x0
SUPER_BLOB, CODE_DIRECTORY, ADHOC = 0xFADE0CC0, 0xFADE0C02, 0x2

# Beside what libmlx.dylib of the wheel for macOS 14 binds itself, which that system must have: in libc++ since long before.
OLD_CXX = {
    "__Znwm", "__ZdlPv", "__ZdlPvm", "__Znam", "__ZdaPv", "__ZnwmSt11align_val_t", "__ZdlPvSt11align_val_t", "__ZdlPvmSt11align_val_t",
    "__ZTISt12length_error", "__ZTVSt12length_error", "__ZNSt12length_errorD1Ev",
    "__ZTISt12out_of_range", "__ZTVSt12out_of_range", "__ZNSt12out_of_rangeD1Ev",
    "__ZTISt9bad_alloc", "__ZNSt9bad_allocC1Ev", "__ZNSt9bad_allocD1Ev", "__ZTISt9exception", "__ZNSt9exceptionD2Ev", "__ZNKSt9exception4whatEv",
    "__ZTISt13runtime_error", "__ZNSt13runtime_errorC2EPKc", "__ZNSt13runtime_errorC1EPKc", "__ZNSt13runtime_errorD1Ev", "__ZNSt13runtime_errorD2Ev",
    "__ZTISt16invalid_argument", "__ZTVSt16invalid_argument", "__ZNSt16invalid_argumentD1Ev", "__ZNSt11logic_errorC2EPKc",
    "___gxx_personality_v0", "___cxa_throw", "___cxa_rethrow", "___cxa_begin_catch", "___cxa_end_catch", "___cxa_allocate_exception",
    "___cxa_free_exception", "___cxa_guard_acquire", "___cxa_guard_release", "___cxa_guard_abort", "___cxa_pure_virtual", "__ZSt9terminatev",
    "__ZNSt3__19to_stringEi", "__ZNSt3__19to_stringEl", "__ZNSt3__19to_stringEx", "__ZNSt3__19to_stringEj",
    "__ZNSt3__19to_stringEm", "__ZNSt3__19to_stringEy",
    "__ZTVN10__cxxabiv117__class_type_infoE", "__ZTVN10__cxxabiv120__si_class_type_infoE", "__ZTVN10__cxxabiv121__vmi_class_type_infoE",
}  # fmt: skip


class MachO:
    """Symbols, libraries and signature of one file for arm64."""

    def __init__(self, path):
        self.path = path
        self.data = Path(path).read_bytes()
        magic, processor, _, _, commands, _, _, _ = struct.unpack_from("<8I", self.data)
        if magic != MAGIC_64 or processor != ARM64:
            sys.exit(f"darwin.py: {path} is no Mach-O file for arm64")
        self.libraries, self.rpaths, self.signature, self.oldest, self.symbols = [], [], None, None, []
        at = 32
        for _ in range(commands):
            kind, size = struct.unpack_from("<2I", self.data, at)
            if kind == LC_SYMTAB:
                self.symbols = list(self._symbols(*struct.unpack_from("<4I", self.data, at + 8)))
            elif kind & 0x7FFFFFFF in (LC_LOAD_DYLIB, 0x18, 0x1F):  # weak and re-exported ones too
                self.libraries.append(self._string(at + struct.unpack_from("<I", self.data, at + 8)[0]))
            elif kind == LC_RPATH:
                self.rpaths.append(self._string(at + struct.unpack_from("<I", self.data, at + 8)[0]))
            elif kind == LC_CODE_SIGNATURE:
                self.signature = struct.unpack_from("<2I", self.data, at + 8)
            elif kind == LC_BUILD_VERSION:
                version = struct.unpack_from("<I", self.data, at + 12)[0]
                self.oldest = (version >> 16, version >> 8 & 0xFF)
            at += size

    def _string(self, at):
        return self.data[at : self.data.index(b"\0", at)].decode()

    def _symbols(self, offset, count, strings, _):
        for i in range(count):
            name, kind, _, description, _ = struct.unpack_from("<IBBHQ", self.data, offset + 16 * i)
            if not kind & N_STAB and kind & N_EXT:
                yield self._string(strings + name), kind & N_TYPE == N_UNDF, description >> 8

    def undefined(self):
        """Symbol to the library that it is bound to; of an object file there is none."""
        return {
            name: self.libraries[ordinal - 1] if 0 < ordinal <= len(self.libraries) else ""
            for name, undefined, ordinal in self.symbols
            if undefined
        }

    def exports(self):
        return {name for name, undefined, _ in self.symbols if not undefined}

    def is_signed_ad_hoc(self):
        if not self.signature:
            return False
        blob, _ = self.signature
        magic, _, count = struct.unpack_from(">3I", self.data, blob)
        if magic != SUPER_BLOB:
            return False
        for i in range(count):
            at = blob + struct.unpack_from(">2I", self.data, blob + 12 + 8 * i)[1]
            magic, _, _, flags = struct.unpack_from(">4I", self.data, at)
            if magic == CODE_DIRECTORY:
                return bool(flags & ADHOC)
        return False


def system_cxx(libmlx):
    """What the C++ library of macOS 14 has, as far as is known here."""
    return {name for name, library in libmlx.undefined().items() if library == SYSTEM_CXX} | OLD_CXX


def is_cxx(name):
    return name.startswith(("__Z", "___cxa_", "___gxx_", "___dynamic_cast")) and name != "___cxa_atexit"  # that one is libSystem's


def stub(objects, libmlx, out):
    inside = set().union(*(each.exports() for each in objects))
    needed = set().union(*(each.undefined() for each in objects)) - inside - libmlx.exports()
    symbols = ", ".join(f"'{name}'" for name in sorted(filter(is_cxx, needed)))
    Path(out).write_text(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-macos ]\n"
        f"install-name: '{SYSTEM_CXX}'\ncurrent-version: 1\ncompatibility-version: 1\n"
        f"exports:\n  - targets: [ arm64-macos ]\n    symbols: [ {symbols} ]\n...\n"
    )


def check(library, wheels):
    failures = []
    bound = library.undefined()
    mlx = {name for name, file in bound.items() if file == "@rpath/libmlx.dylib"}
    for wheel in wheels:
        failures += [f"{wheel.path} has no {name}" for name in sorted(mlx - wheel.exports())]
    cxx = {name for name, file in bound.items() if file == SYSTEM_CXX}
    failures += [f"the C++ library of macOS 14 may lack {name}" for name in sorted(cxx - system_cxx(wheels[0]))]
    others = {file for file in bound.values()} - {"@rpath/libmlx.dylib", SYSTEM_CXX, "/usr/lib/libSystem.B.dylib"}
    failures += [f"it binds symbols of '{file}': {sorted(n for n, f in bound.items() if f == file)}" for file in sorted(others)]
    if library.exports() & {"__Znwm", "___cxa_throw"}:
        failures.append("it has a C++ runtime of its own: exceptions of MLX would not be caught")
    if library.rpaths != ["@loader_path"]:
        failures.append(f"it looks for libmlx in {library.rpaths}, expected @loader_path")
    if library.oldest is None or library.oldest > (14, 0):
        failures.append(f"it asks for macOS {library.oldest}, expected 14.0")
    if not library.is_signed_ad_hoc():
        failures.append("it has no ad-hoc code signature: a Mac would not load it")
    for failure in failures:
        print(f"darwin.py: {library.path}: {failure}", file=sys.stderr)
    if failures:
        sys.exit(1)
    print(
        f"native-metal: {library.path}: {len(mlx)} symbols of MLX are in {len(wheels)} wheels, {len(cxx)} of the C++ library in macOS 14, "
        f"{len(bound) - len(mlx) - len(cxx)} of libSystem; signed ad hoc; never loaded on a Mac"
    )


if __name__ == "__main__":
    command, *files = sys.argv[1:] or [""]
    if command == "stub" and len(files) >= 3:
        stub([MachO(file) for file in files[:-2]], MachO(files[-2]), files[-1])
    elif command == "check" and len(files) >= 2:
        check(MachO(files[0]), [MachO(file) for file in files[1:]])
    else:
        sys.exit(__doc__)
