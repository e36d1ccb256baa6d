"""`python -m femtolog [-m module | script] args`: what `python` does, with femtolog under the program's logging."""

from femtolog_compat.run import main

if __name__ == "__main__":
    main()
