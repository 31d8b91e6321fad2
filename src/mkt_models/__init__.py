"""From customer data to a personalised, fair and measured strategy for every customer.

The package is read along the flow of the data; imports go the same way:

``columns``, ``sections``, ``params`` and ``*_params``, ``loading``
    the vocabulary, the meaning of every parameter, and reading them from YAML
``engine``, ``workspace``
    SQL on files with DuckDB; where the tables of a run live
``portable``, ``spark_sql``, ``spark_engine``, ``spark_server``
    the subset of SQL that runs on every engine; the same SQL on Spark; a server for trying it
``sources``
    one module per origin, each giving the same canonical tables
``cleaning``
    canonical tables to clean ones, with a quarantine and a ledger that balances
``profiles``
    clean tables to features, tags and one profile per customer and date
``mining``
    what is bought together; what a customer buys next
``models``
    labels and time splits; churn, value, propensity and their simple peers; the registry
``evaluation``
    performance, explanations, fairness: plain tables in, plain tables out
``experiments``
    A/B tests and holdouts: size, assignment, analysis, the decision in words
``monitoring``, ``monitored``
    drift, performance and groups over time, and what to do about them: plain tables in and out;
    what a run left, watched
``store``, ``decisions``
    contact history; candidates, eligibility, contact policy, worth, arbitration
``serving``, ``service``, ``packaging``
    who may ask what; the HTTP service; the bento that carries it
``exploration``, ``plots``
    what a first look shows; tables to figures; only notebooks and reports use them
``stages``, ``notebook_runs``, ``progress``
    the stages of a run and what makes each stale; running their notebooks; telling of it
``reporting``, ``notebook_pages``, ``customer_pages``, ``manifest``, ``story``, ``summary``,
``cli``, ``commands``
    notebooks to pages; a page per showcase customer; what a run was made of; what it found, in a
    terminal; the command ``mkt``
"""

__version__ = "0.1.0"
