"""llama.cpp's server on a port of its own choice: prints its address, serves until standard input ends.

usage: llama_server.py MODEL
"""
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"smollm2"}
params.n_ctx = 2048
params.n_parallel = 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
params.endpoint_slots = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
