"""The verbs of the command line, one module each: ``configure(parser)`` and ``run(arguments)``.

Heavy rooms are imported inside ``run``, so that ``--help`` answers at once.
"""
