"""llama.cpp's own server over one GGUF file: `python tests/llama_server.py FILE PORT`."""

import sys
import time

MEAN = 1  # llama.cpp's number for it


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
    params.embedding, params.pooling_type = True, MEAN
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
