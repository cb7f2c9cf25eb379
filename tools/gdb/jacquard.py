"""gdb commands for programs that run in Jacquard: its threads, which gdb takes for one.

    gdb -x tools/gdb/jacquard.py --args bazel-bin/spin_lock_test --gtest_filter=SpinLock.ExcludesAndPublishes
    (gdb) set environment JACQUARD_REPLAY J1o9sfafoKGqKAAgQAAAAA
    (gdb) jacquard stop
    (gdb) run
    (gdb) jacquard threads

jacquard threads              every simulated thread that has not ended: what it waits for, and its backtrace
jacquard apply N|all COMMAND  executes a command of gdb where thread N would go on: `jacquard apply 1 info locals`
jacquard stop                 sets a breakpoint where an execution ends with a verdict

For a process that lives and is stopped inside an execution, not for core files.
"""

import gdb

# Hidden symbols of the runtime: sim/debugger.cc, and where a verdict is made.
_VIEW = "jacquard_debugger_view"
_FAIL = "jacquard::sim::Engine::Fail"

# The words of a saved context: sim/fiber.h.
_FRAME_POINTER, _PROGRAM_COUNTER, _END = 8, 16, 24


def _read(address, size=8):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size).tobytes(), "little")


def _string(address):
    return gdb.Value(address).cast(gdb.lookup_type("char").pointer()).string()


def _symbol(address):
    """The name of what lies at `address`, in parentheses, if gdb knows one."""
    text = gdb.execute("info symbol %d" % address, to_string=True).strip()
    return "" if text.startswith("No symbol") else " (%s)" % text.split(" in section")[0]


class _Thread:
    """A simulated thread that has not ended."""

    def __init__(self, number, running, context, wait):
        self.number = number
        self.running = running
        self.context = context  # where its registers are, if it is not running
        self.wait = wait


def _threads():
    try:
        view = int(gdb.parse_and_eval("(unsigned long)&" + _VIEW))
    except gdb.error as error:
        raise gdb.GdbError("this program has no simulated threads: " + str(error))
    (executing, current, count, alive, first, second, context, wait, wait_address,
     wait_thread) = (_read(view + 8 * i) for i in range(10))
    names = view + 80
    try:
        inside = _read(executing, 1)
    except gdb.error:
        inside = False
    if not inside:
        raise gdb.GdbError("no execution is going on")
    living = _read(alive, 32)
    running = _read(current)
    threads = []
    for number in range(_read(count, 4)):
        if not living >> number & 1:
            continue
        at = number * (second - first)
        reason = _read(wait + at, 1)
        text = _string(_read(names + 8 * reason))
        if text == "waits for a thread to end":
            text = "waits for thread %d to end" % _read(wait_thread + at, 4)
        elif reason:
            address = _read(wait_address + at)
            if address:
                text += " at %#x%s" % (address, _symbol(address))
        threads.append(_Thread(number, first + at == running, _read(context + at), text))
    return threads


def _execute_in(thread, command):
    """Executes `command` with the registers that `thread` would go on with; then they are as before."""
    if thread.running or not thread.context:
        gdb.execute(command)
        return
    names = ("rip", "rsp", "rbp")
    gdb.execute("frame 0", to_string=True)
    level = gdb.newest_frame()
    old = [int(level.read_register(name)) & (1 << 64) - 1 for name in names]
    new = [
        _read(thread.context + _PROGRAM_COUNTER),
        thread.context + _END,
        _read(thread.context + _FRAME_POINTER),
    ]
    try:
        for name, value in zip(names, new):
            gdb.execute("set $%s = %d" % (name, value), to_string=True)
        gdb.execute(command)
    finally:
        gdb.execute("frame 0", to_string=True)
        for name, value in zip(names, old):
            gdb.execute("set $%s = %d" % (name, value), to_string=True)


def _apply(threads, command):
    for thread in threads:
        print("Simulated thread %d: %s" % (thread.number, "running" if thread.running else thread.wait))
        try:
            _execute_in(thread, command)
        except gdb.error as error:
            print(error)
        print()


class _Prefix(gdb.Command):
    """Simulated threads of a program that runs in Jacquard."""

    def __init__(self):
        super().__init__("jacquard", gdb.COMMAND_STACK, prefix=True)


class _Threads(gdb.Command):
    """Every simulated thread that has not ended, with its backtrace."""

    def __init__(self):
        super().__init__("jacquard threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        _apply(_threads(), "backtrace")


class _Apply(gdb.Command):
    """jacquard apply N|all COMMAND: executes a command of gdb in a simulated thread, or in each."""

    def __init__(self):
        super().__init__("jacquard apply", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        which, _, command = argument.strip().partition(" ")
        if not command or not (which == "all" or which.isdigit()):
            raise gdb.GdbError("jacquard apply N|all COMMAND")
        threads = [t for t in _threads() if which in ("all", str(t.number))]
        if not threads:
            raise gdb.GdbError("there is no simulated thread %s, or it has ended" % which)
        _apply(threads, command)


class _Stop(gdb.Command):
    """Sets a breakpoint where an execution ends with a verdict."""

    def __init__(self):
        super().__init__("jacquard stop", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        gdb.execute("break " + _FAIL)


_Prefix()
_Threads()
_Apply()
_Stop()
