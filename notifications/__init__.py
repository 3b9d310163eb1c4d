"""WHO is told WHAT: guests their PIN, operators what needs a person.

Read in this order: decide (pure: which message, and when), outlook (the facts it is fed with), planning (one job per
stay), telling (the job's work), letters (the words), mail (the way out), notices (the operators' side).
"""
