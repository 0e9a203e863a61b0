# semrec as a service: compose.yaml starts it with what it needs.
#
# Not built where it was written: no containers run there (docs/scale.md says what was tried).
#   docker build -t semrec .
#   docker build -t semrec --build-arg PIP_ARGS="…" .   # such as PyTorch's index of CPU builds: 3 GB less
FROM python:3.11-slim AS build
ARG PIP_ARGS=""
RUN apt-get update && apt-get install -y --no-install-recommends build-essential \
  && rm -rf /var/lib/apt/lists/* && python -m venv /venv
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY semrec semrec
COPY prompts prompts
COPY configs configs
RUN /venv/bin/pip install --no-cache-dir ${PIP_ARGS} '.[onnx,redis,milvus]'

FROM python:3.11-slim
# OpenMP, of torch and FAISS.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
  && rm -rf /var/lib/apt/lists/* && useradd --create-home semrec \
  && mkdir /state && chown semrec /state
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH
USER semrec
VOLUME /state
EXPOSE 8000
ENTRYPOINT ["semrec"]
CMD ["serve", "/artifacts/current", "--host", "0.0.0.0", "--state", "/state"]
