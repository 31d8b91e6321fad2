"""The commands of ``mkt``, a module per group: each adds its own to the parser, and runs them.

``running``
    run, check and summary of a run, and the outputs of the committed notebooks
``watching``
    monitor, of a run or of a service
``serving``
    serve, and publish for a service that runs
``keeping``
    forget and retain
``told``
    what the parser and the commands share: the parameter file, the root, the environment

Each imports what it calls when it is called: ``mkt --help`` loads no library.
"""
