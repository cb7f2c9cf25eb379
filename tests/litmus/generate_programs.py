"""Writes a table of litmus programs as C++: a function for each thread, to be compiled with the hooks.

  generate_programs.py TABLE.json > compiled_programs.cc

The format of the table is told in it. What the functions do with the programs' locations and registers is in
compiled_program.h.
"""

import json
import sys


def order_of(name):
    return "std::memory_order_" + name


class ThreadWriter:
    def __init__(self, number, locations, plain, registers):
        self.number = number
        self.locations = locations
        self.plain = plain
        self.registers = registers
        self.lines = []

    def location(self, name):
        array = "plain" if name in self.plain else "atomics"
        return f"program.{array}[{self.locations.index(name)}]"

    def register(self, name):
        mine = self.registers.setdefault((self.number, name), len(self.registers))
        return f"program.registers[{mine}]"

    def write(self, operations, indent="  "):
        for op in operations:
            self.write_one(op, indent)

    def write_one(self, op, indent):
        kind = op["op"]
        if kind == "if":
            self.lines.append(f"{indent}if ({self.register(op['reg'])} == {op['equals']}) {{")
            self.write(op["then"], indent + "  ")
            self.lines.append(indent + "}")
            return
        if kind == "fence":
            self.lines.append(f"{indent}std::atomic_thread_fence({order_of(op['order'])});")
            return
        place = self.location(op["loc"])
        result = self.register(op["reg"]) + " = " if "reg" in op else ""
        order = order_of(op["order"]) if "order" in op else ""
        if kind == "store":
            text = f"{place}.store({op['value']}, {order})"
        elif kind == "load":
            text = f"{result}{place}.load({order})"
        elif kind in ("exchange", "fetch_add"):
            # Hidden: the compiler makes a load of an addition of 0.
            text = f"{result}{place}.{kind}(Hide({op['value']}), {order})"
        elif kind.startswith("compare_exchange"):
            failure = order_of(op["failure"])
            ok = self.register(op["ok"]) + " = " if "ok" in op else ""
            self.lines.append(f"{indent}{{")
            self.lines.append(f"{indent}  Value expected = {op['expected']};")
            self.lines.append(f"{indent}  {ok}{place}.{kind}(expected, {op['desired']}, {order}, {failure});")
            if result:
                self.lines.append(f"{indent}  {result}expected;")
            self.lines.append(f"{indent}}}")
            return
        elif kind == "plain_store":
            text = f"{place} = {op['value']}"
        elif kind == "plain_load":
            text = f"{result}{place}"
        else:
            sys.exit(f"unknown operation {kind}")
        self.lines.append(f"{indent}{text};")


def operations_in(operations):
    for op in operations:
        yield op
        yield from operations_in(op.get("then", []))


def write_program(index, test):
    all_operations = [op for thread in test["threads"] for op in operations_in(thread)]
    plain = {op["loc"] for op in all_operations if op["op"].startswith("plain_")}
    locations = list(test["init"])
    registers = {}
    for number, operations in enumerate(test["threads"]):
        writer = ThreadWriter(number, locations, plain, registers)
        writer.write(operations)
        print(f"void Program{index}Thread{number}([[maybe_unused]] CompiledProgram& program) {{")
        print("\n".join(writer.lines))
        print("}\n")
    observe = []
    for what in test["observe"]:
        if ":" in what:
            thread, register = what.split(":")
            observe.append(f"{{Observed::kRegister, {registers.get((int(thread), register), -1)}}}")
        else:
            kind = "kPlain" if what in plain else "kAtomic"
            observe.append(f"{{Observed::{kind}, {locations.index(what)}}}")
    entry = [f'.name = "{test["name"]}"', f".racy = {str(test['racy']).lower()}"]
    entry.append(".threads = {" + ", ".join(f"Program{index}Thread{n}" for n in range(len(test["threads"]))) + "}")
    entry.append(".initial = {" + ", ".join(str(test["init"][name]) for name in locations) + "}")
    entry.append(".observe = {" + ", ".join(observe) + "}")
    outcomes = ["{" + ", ".join(map(str, outcome)) + "}" for outcome in test["allowed"]]
    entry.append(".allowed = {" + ", ".join(outcomes) + "}")
    return "    {" + ",\n     ".join(entry) + "},"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    print('// Written by generate_programs.py; do not edit.\n#include "tests/litmus/compiled_program.h"\n')
    print("namespace jacquard::litmus {\nnamespace {\n")
    entries = [write_program(index, test) for index, test in enumerate(tests)]
    print("}  // namespace\n\nstd::vector<CompiledProgram> CompiledPrograms() {\n  return {")
    print("\n".join(entries))
    print("  };\n}\n\n}  // namespace jacquard::litmus")


main()
