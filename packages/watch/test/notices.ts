import type { WebhookType } from "../src/webhooks/index.ts";

const digest = `sha256:${"a".repeat(64)}`;

/** What each kind of registry sends of a push, as its documentation shows it, and what it is about. */
export const notices: readonly {
  readonly type: WebhookType;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly registry?: string;
  readonly pushes: readonly object[];
}[] = [
  {
    type: "distribution",
    body: {
      events: [
        {
          id: "320678d8-ca14-430f-8bb6-4ca139cd83f7",
          timestamp: "2026-03-01T12:00:00.123Z",
          action: "push",
          target: {
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            size: 708,
            digest,
            length: 708,
            repository: "team/app",
            url: `http://registry.example:5000/v2/team/app/manifests/${digest}`,
            tag: "1.0",
          },
          request: {
            id: "6df24a34",
            addr: "192.0.2.1:49262",
            host: "registry.example:5000",
            method: "PUT",
            useragent: "docker/28",
          },
          actor: {},
          source: { addr: "registry:5000", instanceID: "a53db899" },
        },
        { id: "2", action: "push", target: { mediaType: "application/octet-stream", digest, repository: "team/app" } },
        {
          id: "3",
          action: "pull",
          target: { digest, repository: "team/app", tag: "1.0" },
          request: { host: "registry.example:5000" },
        },
        {
          id: "4",
          action: "delete",
          target: { digest, repository: "team/old", url: `https://registry.example/v2/team/old/manifests/${digest}` },
        },
      ],
    },
    pushes: [
      { repository: "registry.example:5000/team/app", tag: "1.0", digest, action: "push" },
      { repository: "registry.example/team/old", digest, action: "delete" },
    ],
  },
  {
    type: "dockerhub",
    body: {
      callback_url:
        "https://registry.hub.docker.com/u/svendowideit/busybox/hook/2141bc0cdec4hebec411i4c1g40242eg110020/",
      push_data: { pushed_at: 1772366400, pusher: "svendowideit", tag: "latest", images: [] },
      repository: {
        name: "busybox",
        namespace: "svendowideit",
        owner: "svendowideit",
        repo_name: "svendowideit/busybox",
        status: "Active",
      },
    },
    pushes: [{ repository: "docker.io/svendowideit/busybox", tag: "latest", action: "push" }],
  },
  {
    type: "ghcr",
    headers: { "X-GitHub-Event": "registry_package", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" },
    body: {
      action: "published",
      registry_package: {
        id: 1,
        name: "app",
        namespace: "Team",
        ecosystem: "CONTAINER",
        package_type: "CONTAINER",
        owner: { login: "Team" },
        package_version: {
          id: 2,
          version: digest,
          name: digest,
          container_metadata: { tag: { name: "1.0", digest }, labels: {}, manifest: {} },
          package_url: "ghcr.io/team/app:1.0",
        },
        registry: { name: "GitHub CONTAINER registry", type: "CONTAINER", url: "https://ghcr.io" },
      },
      sender: { login: "ann" },
    },
    pushes: [{ repository: "ghcr.io/team/app", tag: "1.0", digest, action: "push" }],
  },
  {
    type: "ghcr",
    headers: { "X-GitHub-Event": "package", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0959" },
    body: {
      action: "published",
      package: {
        name: "app/web",
        namespace: "team",
        package_type: "CONTAINER",
        package_version: { version: digest, container_metadata: { tag: { name: "" } } },
      },
    },
    pushes: [{ repository: "ghcr.io/team/app/web", digest, action: "push" }],
  },
  {
    type: "ghcr",
    headers: { "X-GitHub-Event": "package", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0960" },
    body: { action: "published", package: { name: "app", namespace: "team", package_type: "npm" } },
    pushes: [],
  },
  {
    type: "ghcr",
    headers: { "X-GitHub-Event": "ping", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0961" },
    body: { zen: "Keep it logically awesome.", hook_id: 1 },
    pushes: [],
  },
  {
    type: "quay",
    body: {
      name: "repository",
      repository: "mynamespace/repository",
      namespace: "mynamespace",
      docker_url: "quay.io/mynamespace/repository",
      homepage: "https://quay.io/repository/mynamespace/repository",
      updated_tags: ["latest", "1.0"],
    },
    pushes: [
      { repository: "quay.io/mynamespace/repository", tag: "latest", action: "push" },
      { repository: "quay.io/mynamespace/repository", tag: "1.0", action: "push" },
    ],
  },
  {
    type: "quay",
    registry: "quay.example",
    body: { repository: "a/b", docker_url: "internal:8443/a/b", updated_tags: { latest: "cafe" } },
    pushes: [{ repository: "quay.example/a/b", tag: "latest", action: "push" }],
  },
  {
    type: "harbor",
    body: {
      type: "PUSH_ARTIFACT",
      occur_at: 1772366400,
      operator: "admin",
      event_data: {
        resources: [{ digest, tag: "latest", resource_url: "hub.harbor.example/test-webhook/debian:latest" }],
        repository: {
          date_created: 1,
          name: "debian",
          namespace: "test-webhook",
          repo_full_name: "test-webhook/debian",
          repo_type: "private",
        },
      },
    },
    pushes: [{ repository: "hub.harbor.example/test-webhook/debian", tag: "latest", digest, action: "push" }],
  },
  {
    type: "harbor",
    body: {
      specversion: "1.0",
      id: "4b2f89a6-548d-4c12-9993-a1f5790b97d2",
      source: "/projects/1/webhook/policies/3",
      type: "harbor.artifact.deleted",
      datacontenttype: "application/json",
      time: "2026-03-01T12:00:00Z",
      data: {
        resources: [{ digest, tag: "latest", resource_url: "harbor.dev/library/busybox:latest" }],
        repository: { name: "busybox", namespace: "library", repo_full_name: "library/busybox" },
      },
    },
    pushes: [{ repository: "harbor.dev/library/busybox", tag: "latest", digest, action: "delete" }],
  },
  { type: "harbor", body: { type: "SCANNING_COMPLETED", occur_at: 1772366400, event_data: {} }, pushes: [] },
  {
    type: "gitlab",
    headers: { "X-Gitlab-Event": "Pipeline Hook", "X-Gitlab-Event-UUID": "13792a34" },
    body: {
      object_kind: "pipeline",
      object_attributes: { id: 31, status: "success", finished_at: "2026-03-01 12:00:00 UTC" },
      project: { id: 1, path_with_namespace: "Group/app", web_url: "https://gitlab.com/Group/app" },
    },
    pushes: [{ repository: "registry.gitlab.com/group/app", below: true, action: "push" }],
  },
  {
    type: "gitlab",
    registry: "registry.gitlab.example",
    body: {
      events: [
        {
          id: "1",
          timestamp: "2026-03-01T12:00:00Z",
          action: "push",
          target: { repository: "group/app", tag: "2", digest },
        },
      ],
    },
    pushes: [{ repository: "registry.gitlab.example/group/app", tag: "2", digest, action: "push" }],
  },
  {
    type: "gitlab",
    body: {
      object_kind: "pipeline",
      object_attributes: { status: "running" },
      project: { path_with_namespace: "a/b" },
    },
    pushes: [],
  },
  {
    type: "acr",
    body: {
      id: "cb8c3971-9adc-488b-xxxx-43cbb4974ff5",
      timestamp: "2026-03-01T12:00:00.524343Z",
      action: "push",
      target: {
        mediaType: "application/vnd.docker.distribution.manifest.v2+json",
        size: 524,
        digest,
        length: 524,
        repository: "hello-world",
        tag: "v1",
      },
      request: { id: "3cbb6949", host: "myregistry.azurecr.io", method: "PUT", useragent: "docker/18.09.0" },
    },
    pushes: [{ repository: "myregistry.azurecr.io/hello-world", tag: "v1", digest, action: "push" }],
  },
  { type: "acr", body: { id: "a", timestamp: "2026-03-01T12:00:00Z", action: "ping" }, pushes: [] },
  {
    type: "ecr",
    body: {
      version: "0",
      id: "13cde686-328b-6117-af20-0e5566167482",
      "detail-type": "ECR Image Action",
      source: "aws.ecr",
      account: "123456789012",
      time: "2026-03-01T12:00:00Z",
      region: "us-west-2",
      resources: [],
      detail: {
        result: "SUCCESS",
        "repository-name": "my-repository-name",
        "image-digest": digest,
        "action-type": "PUSH",
        "image-tag": "latest",
      },
    },
    pushes: [
      {
        repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name",
        tag: "latest",
        digest,
        action: "push",
      },
    ],
  },
  {
    type: "ecr",
    body: {
      id: "2",
      "detail-type": "ECR Image Scan",
      source: "aws.ecr",
      account: "1",
      region: "eu-west-1",
      detail: {},
    },
    pushes: [],
  },
  {
    type: "google",
    body: {
      message: {
        data: Buffer.from(
          JSON.stringify({
            action: "INSERT",
            digest: `us-east1-docker.pkg.dev/my-project/my-repo/hello-world@${digest}`,
            tag: "us-east1-docker.pkg.dev/my-project/my-repo/hello-world:1.1",
          }),
        ).toString("base64"),
        messageId: "136969346945",
        publishTime: "2026-03-01T12:00:00Z",
      },
      subscription: "projects/myproject/subscriptions/mysubscription",
    },
    pushes: [
      { repository: "us-east1-docker.pkg.dev/my-project/my-repo/hello-world", tag: "1.1", digest, action: "push" },
    ],
  },
];
