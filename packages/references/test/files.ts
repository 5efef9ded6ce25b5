/** Files of each kind as people write them, with what has to be found: `kind path text`, and after ` -> ` what it comes to, or ` -> ?`. */
const sha = `sha256:${"ab".repeat(32)}`;

export const files: readonly (readonly [name: string, text: string, found: readonly string[]])[] = [
  [
    "deploy/web.yaml",
    `# nginx:0.1 is no reference here
apiVersion: apps/v1
kind: Deployment
metadata: {name: wéb, annotations: {image: "nginx:0.2"}}
spec:
  template:
    spec:
      initContainers: [{name: a, image: busybox:1.36}, {name: b, image: 'ghcr.io/x/y:1'}]
      containers:
        - name: web # größer
          image: "nginx:1.27"   # kept
          args: [--image, "nginx:0.3"]
        - image: >-
            registry.example:5000/team/app@${sha}
          name: folded
        - name: next
          image:
            redis
      ephemeralContainers:
      - image: "al\\x70ine:3"
      volumes:
      - name: data
        image: {reference: quay.io/data/set:v1, pullPolicy: Always}
---
apiVersion: v1
kind: ConfigMap
data:
  image: nginx:0.4
  file: |
    containers:
    - image: nginx:0.5
---
apiVersion: batch/v1
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: job}]}}}}}
...
`,
    [
      "container spec.template.spec.initContainers[0].image busybox:1.36",
      "container spec.template.spec.initContainers[1].image ghcr.io/x/y:1",
      "container spec.template.spec.containers[0].image nginx:1.27",
      `container spec.template.spec.containers[1].image registry.example:5000/team/app@${sha}`,
      "container spec.template.spec.containers[2].image redis",
      "container spec.template.spec.ephemeralContainers[0].image alpine:3",
      "volume spec.template.spec.volumes[0].image.reference quay.io/data/set:v1",
      "container spec.jobTemplate.spec.template.spec.containers[0].image job",
    ],
  ],
  [
    "all.json",
    `{"apiVersion": "v1", "kind": "List", "items": [\n\t{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "nginx:1"}]}},\n\t{"apiVersion":"monitoring.coreos.com/v1","kind":"Prometheus","spec":{"image":"quay.io\\/prometheus\\/prometheus:v2","baseImage":"x"}}]}\n`,
    ["container items[0].spec.containers[0].image nginx:1", "resource spec.image quay.io/prometheus/prometheus:v2"],
  ],
  [
    "task.yaml",
    `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  steps:
  - {name: a, image: golang:1.24}
  - {name: b, image: $(params.image)}
  - {name: c, image: word}
`,
    ["resource spec.steps[0].image golang:1.24"],
  ],
  [
    "crd.yaml",
    `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec: {versions: [{schema: {openAPIV3Schema: {properties: {containers: [{image: nginx:1}]}}}}]}
`,
    [],
  ],
  [
    "docker-compose.prod.yml",
    `x-base: &base
  image: postgres:17 # one place for two
  restart: always
services:
  db:
    <<: *base
  db2: {<<: *base, ports: ["5432:5432"]}
  web:
    image: "nginx:\${NGINX_TAG:-1.27}"
  old:
    image: \${REGISTRY}/app:1
  both:
    build: .
    image: team/built:dev
  only: {build: {context: ., dockerfile: Dockerfile}}
  child:
    extends: {file: other.yml, service: web}
  nested: {image: '\${A:-\${B:-traefik:v3}}'}
  money: {image: "a$$b"}
  image: {image: redis:8}
volumes:
  image: {}
`,
    [
      "service services.db.image postgres:17",
      "service services.web.image nginx:${NGINX_TAG:-1.27} -> docker.io/library/nginx:1.27",
      "service services.old.image ${REGISTRY}/app:1 -> ?",
      "built services.both.image team/built:dev",
      "service services.nested.image ${A:-${B:-traefik:v3}} -> docker.io/library/traefik:v3",
      "service services.image.image redis:8",
    ],
  ],
  [
    "Dockerfile",
    `# syntax=docker/dockerfile:1.7
# escape=\\

# a comment
ARG VERSION=1.24
ARG EMPTY
FROM --platform=$BUILDPLATFORM golang:\${VERSION} AS build
RUN <<EOF cat
FROM fake:1
EOF
from build as Second
COPY --from=build /x /y
COPY --chown=1:1 --from=ghcr.io/tool/kit:2 /a /b
COPY --from=0 /a /b
COPY --from=later /a /b
RUN --mount=type=cache,target=/x --mount=type=bind,from=alpine:3.20,source=/,target=/m \\
    # FROM commented:1
    echo FROM no:1
ONBUILD COPY --from=busybox:1 /bin /bin
FROM \\
  "debian:12" \\
  AS later
FROM scratch
FROM $EMPTY
FROM reg\\
istry.example/split:1
`,
    [
      "syntax # syntax docker/dockerfile:1.7",
      "base FROM golang:${VERSION} -> docker.io/library/golang:1.24",
      "copy COPY --from ghcr.io/tool/kit:2",
      "mount RUN --mount alpine:3.20",
      "copy COPY --from busybox:1",
      "base FROM debian:12",
      "base FROM $EMPTY -> ?",
      "base FROM registry.example/split:1",
    ],
  ],
  [
    "win.Dockerfile",
    "# escape=`\r\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2022 `\r\n AS x\r\nCOPY C:\\a\\ C:\\b\\\r\nFROM x\r\n",
    ["base FROM mcr.microsoft.com/windows/nanoserver:ltsc2022"],
  ],
  [
    "charts/app/values.yaml",
    `image:
  registry: docker.io
  repository: bitnami/redis
  tag: 7.4.1-debian-12-r0
  digest: ""
sidecar: {image: {repository: ghcr.io/x/side, tag: "1.2"}}
metrics:
  image: quay.io/x/exporter:v1.0.0
  enabled: true
initImage: busybox:1.36
hash:
  repository: app/hashed
  tag: v1
  sha: ${"cd".repeat(32)}
git: {repository: "https://github.com/x/y", tag: v1}
chart: {repository: oci://registry.example/charts, version: 1}
profileImage: "https://example.com/a.png"
image2: {repository: ignored}
noTagImage: {repository: registry.example/no/tag}
text: "image: nginx:1"
script: |
  {{- if .Values.x }}
    {{ .y }}
  image: nginx:1
  {{- end }}
lastImage: nginx:last
`,
    [
      "value image docker.io/bitnami/redis:7.4.1-debian-12-r0",
      "value sidecar.image ghcr.io/x/side:1.2",
      "value metrics.image quay.io/x/exporter:v1.0.0",
      "value initImage busybox:1.36",
      `value hash app/hashed:v1@sha256:${"cd".repeat(32)}`,
      "value noTagImage registry.example/no/tag",
      "value lastImage nginx:last",
    ],
  ],
  [
    "charts/app/templates/deployment.yaml",
    `{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.name" . }}
  labels: {{- include "app.labels" . | nindent 4 }}
    more: "1"
spec:
  template:
    spec:
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default "1.2" }}"
        - name: fixed
          image: busybox:1.36
        {{- with .Values.more }}
          image: {{ . }}
        {{- end }}
{{- end }}
`,
    [
      'container spec.template.spec.containers[0].image {{ .Values.image.repository }}:{{ .Values.image.tag | default "1.2" }} -> ?',
      "container spec.template.spec.containers[1].image {{ . }} -> ?",
    ],
  ],
  [
    "Chart.yaml",
    `apiVersion: v2
name: app
annotations:
  artifacthub.io/images: |
    - name: redis
      image: docker.io/bitnami/redis:7.4.1 # größer
    - image: "ghcr.io/x/y:2"
  images: |-
    - {image: quay.io/x/z:3}
  other: "image: nginx:1"
`,
    [
      'annotation annotations["artifacthub.io/images"][0].image docker.io/bitnami/redis:7.4.1',
      'annotation annotations["artifacthub.io/images"][1].image ghcr.io/x/y:2',
      'annotation annotations["images"][0].image quay.io/x/z:3',
    ],
  ],
  [
    "kustomization.yaml",
    `resources: [../base]
images:
- name: nginx
  newName: registry.example/nginx
  newTag: "1.27"
- {name: app, digest: "${sha}"}
- name: plain
`,
    [
      "kustomize-image images[0] registry.example/nginx:1.27",
      `kustomize-image images[1] app@${sha}`,
      "kustomize-image images[2] plain",
    ],
  ],
  [
    ".github/workflows/ci.yml",
    `on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    container: node:24
    services:
      db: {image: "postgres:17", env: {image: nginx:1}}
    steps:
    - uses: actions/checkout@v4
    - uses: docker://alpine:3.20
    - run: docker run nginx:1
  b:
    container: {image: "ghcr.io/x/y:\${{ matrix.v }}"}
`,
    [
      "job jobs.a.container node:24",
      "job-service jobs.a.services.db.image postgres:17",
      "step jobs.a.steps[1].uses alpine:3.20",
      "job jobs.b.container.image ghcr.io/x/y:${{ matrix.v }} -> ?",
    ],
  ],
  [
    "action.yml",
    "name: x\nruns:\n  using: docker\n  image: docker://ghcr.io/x/act:1\n",
    ["step runs.image ghcr.io/x/act:1"],
  ],
  [
    ".gitlab-ci.yml",
    `image: ruby:3.4
variables: {NODE: "24", image: x}
default:
  services: [redis:8]
test:
  image: {name: "node:$NODE", entrypoint: [""]}
  services:
  - name: postgres:17
    alias: db
  - $CI_REGISTRY_IMAGE/x:1
  script: [echo image]
.hidden: &h
  image: golang:1.24
go:
  <<: *h
  script: !reference [.setup, script]
`,
    [
      "job image ruby:3.4",
      "job-service default.services[0] redis:8",
      "job test.image.name node:$NODE -> docker.io/library/node:24",
      "job-service test.services[0].name postgres:17",
      "job-service test.services[1] $CI_REGISTRY_IMAGE/x:1 -> ?",
      "job .hidden.image golang:1.24",
    ],
  ],
  [
    ".devcontainer/devcontainer.json",
    `// the container
{
\t"image": "mcr.microsoft.com/devcontainers/base:ubuntu", /* "image": "no:1" */
\t"features": {
\t\t"ghcr.io/devcontainers/features/node:1": {},
\t\t"./local": {},
\t},
}
`,
    [
      "devcontainer image mcr.microsoft.com/devcontainers/base:ubuntu",
      'feature features["ghcr.io/devcontainers/features/node:1"] ghcr.io/devcontainers/features/node:1',
    ],
  ],
  [
    "devcontainer.json",
    `{"image": "mcr.microsoft.com/x/go:2-\${localEnv:VARIANT:bookworm}"}`,
    ["devcontainer image mcr.microsoft.com/x/go:2-${localEnv:VARIANT:bookworm} -> mcr.microsoft.com/x/go:2-bookworm"],
  ],
  [
    ".devcontainer.json",
    `{"image": "mcr.microsoft.com/x/go:2-\${templateOption:imageVariant}"}`,
    ["devcontainer image mcr.microsoft.com/x/go:2-${templateOption:imageVariant} -> ?"],
  ],
  [
    ".imgpkg/images.yml",
    `---
apiVersion: imgpkg.carvel.dev/v1alpha1
kind: ImagesLock
images:
- image: registry.example/app@${sha}
  annotations: {kbld.carvel.dev/id: nginx:1}
`,
    [`lock images[0].image registry.example/app@${sha}`],
  ],
  [
    "images.txt",
    "# all of them\nnginx:1.27\n\n  ghcr.io/x/y:2 # größer\nredis\n",
    ["line  nginx:1.27", "line  ghcr.io/x/y:2", "line  redis"],
  ],
  [
    "web.container",
    "[Unit]\nImage=no:1\n[Container]\n# Image=no:2\nImage=docker.io/library/nginx:1.27\nExec=nginx\n[Install]\nImage=no:3\n",
    ["unit Container.Image docker.io/library/nginx:1.27"],
  ],
  ["tmpl@.container", "[Container]\nImage=quay.io/x/y:%i\n", ["unit Container.Image quay.io/x/y:%i -> ?"]],
  ["built.container", "[Container]\nImage=web.build\n", []],
  ["notes.txt", "nginx:1.27 is what we use\n", []],
  ["README.md", "image: nginx:1\n", []],
];
