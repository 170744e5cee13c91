"""The systems outside: one module per system, all over `api.upstream.http`.

A client takes a small frozen config (address and secrets) and the shared `Http`; it speaks that system's own
protocol, trusts no answer it has not checked, and raises only `Problem`. A new system is a new module.
"""
