"""Monitoring: compares what a service is asked and serves with what its artifact was built on."""
