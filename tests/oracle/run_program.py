"""`run_program.py stdlib|femtolog program.py args...`: run the program as `__main__`, bound natively or not."""

import sys

side, path, *_ = sys.argv[1:]
if side == "femtolog":
    import femtolog

    femtolog.install()
del sys.argv[:2]
sys.path.insert(0, "")
namespace = {"__name__": "__main__", "__file__": path, "__builtins__": __builtins__}
with open(path, encoding="utf-8") as file:
    program = compile(file.read(), path, "exec")
exec(program, namespace)
