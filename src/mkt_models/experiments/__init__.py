"""A/B tests and holdouts: planned before, assigned by a salt, judged once, told in words.

``assignment``
    which arm a unit is in, and with which probability; all that serving needs
``power``
    how many units, how long, and the smallest effect that can be seen
``metrics``, ``measured``
    what is measured: means, proportions and ratios; their value per unit, and whether it suffices
``sample_ratio``
    whether the arms have the sizes that were assigned
``cuped``
    less variance by what was known before
``fixed_horizon``
    differences and relative lifts with intervals, for one look at the planned size
``randomisation``
    the same for values too skewed for a t test: the assignment drawn again
``sequential``, ``exact_sequence``, ``group_sequential``
    intervals that hold at every look, and a test that assumes nothing of the values; boundaries for
    a few planned looks
``corrections``
    many arms and metrics
``guardrails``
    whether harm beyond a margin is ruled out
``checks``
    numbers that cannot be what they are called
``heterogeneity``
    whether segments differ, with care
``comparison``, ``analysis``
    every arm and metric beside the control; a table of units to a result
``memo``, ``memo_words``, ``said``
    the decision; its sentences, in English and Chinese

What the service imports, ``assignment``, needs neither pandas nor SciPy.
"""
