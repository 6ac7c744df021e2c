"""The verbs of forgetting: mint and unwrap keys, destroy them early, end days, and say what is still readable."""
