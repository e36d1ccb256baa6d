"""`python -m femtolog_compat [-m module | script] args`: the same as `python -m femtolog`."""

from femtolog_compat.run import main

if __name__ == "__main__":
    main()
