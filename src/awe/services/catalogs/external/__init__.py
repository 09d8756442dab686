"""TAP services of other archives that the operator named: their answers, in place of those of our own tables.

A query goes there as it was written, in ADQL, and nothing that tells who asks goes with it. No other address is ever
asked: where such a service sends on to another host, the answer is an error.
"""
