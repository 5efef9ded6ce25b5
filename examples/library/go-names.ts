/** The public names of go-containerregistry 0.22.0, package by package: docs/library.md has to name each. */
export const goNames: Readonly<Record<string, string>> = {
  "pkg/name":
    "DefaultRegistry DefaultTag Digest ErrBadName Insecure IsErrBadName MustParseReference NewDigest " +
    "NewInsecureRegistry NewRegistry NewRepository NewTag Option OptionFn ParseReference Reference Registry " +
    "Repository StrictValidation Tag WeakValidation WithDefaultRegistry WithDefaultTag",
  "pkg/v1":
    "Config ConfigFile Descriptor Hash Hasher HealthConfig History Image ImageIndex IndexManifest Layer Manifest " +
    "NewHash ParseConfigFile ParseIndexManifest ParseManifest ParsePlatform Platform RootFS SHA256 Time Update",
  "pkg/v1/types":
    "DockerConfigJSON DockerForeignLayer DockerLayer DockerManifestList DockerManifestSchema1 " +
    "DockerManifestSchema1Signed DockerManifestSchema2 DockerPluginConfig DockerUncompressedLayer " +
    "DockerVendorPrefix MediaType OCIConfigJSON OCIContentDescriptor OCIImageIndex OCILayer OCILayerZStd " +
    "OCIManifestSchema1 OCIRestrictedLayer OCIUncompressedLayer OCIUncompressedRestrictedLayer OCIVendorPrefix",
  "pkg/v1/match": "Annotation Digests Matcher MediaTypes Name Platforms",
  "pkg/v1/empty": "Image Index",
  "pkg/v1/random": "Image Index Layer Option WithSource",
  "pkg/v1/static": "NewLayer",
  "pkg/v1/partial":
    "ArtifactType BlobDescriptor BlobSize BlobToDiffID CompressedImageCore CompressedLayer CompressedToImage " +
    "CompressedToLayer ComputeManifests ConfigFile ConfigLayer ConfigName Describable Descriptor DiffIDToBlob " +
    "DiffIDs Digest Exists FSLayers FindImages FindIndexes FindManifests ImageCore Manifest Manifests " +
    "RawConfigFile RawManifest Size UncompressedImageCore UncompressedLayer UncompressedSize UncompressedToImage " +
    "UncompressedToLayer WithConfigFile WithDiffID WithManifest WithManifestAndConfigFile WithRawConfigFile " +
    "WithRawManifest",
  "pkg/v1/mutate":
    "Addendum Annotations Append AppendLayers AppendManifests Appendable Canonical Config ConfigFile " +
    "ConfigMediaType CreatedAt Extract IndexAddendum IndexMediaType MediaType Rebase RemoveManifests Subject Time",
  "pkg/v1/stream": "ErrConsumed ErrNotComputed Layer LayerOption NewLayer WithCompressionLevel WithMediaType",
  "pkg/v1/tarball":
    "CalculateSize ComputeManifest Descriptor Image ImageFromPath LayerFromFile LayerFromOpener LayerFromReader " +
    "LayerOption LoadManifest Manifest MultiRefWrite MultiRefWriteToFile MultiWrite MultiWriteToFile Opener " +
    "WithCompressedCaching WithCompression WithCompressionLevel WithEstargz WithEstargzOptions WithMediaType " +
    "WithProgress Write WriteOption WriteToFile",
  "pkg/v1/layout": "FromPath ImageIndexFromPath Option Path WithAnnotations WithPlatform WithURLs Write",
  "pkg/v1/daemon":
    "Client Image ImageOption Option Tag WithBufferedOpener WithClient WithContext WithFileBufferedOpener " +
    "WithUnbufferedOpener Write",
  "pkg/v1/remote":
    "Backoff Catalog CatalogPage Catalogger Catalogs CheckPushPermission DefaultTransport Delete Descriptor " +
    "ErrSchema1 Get Head Image Index Layer List ListWithContext Lister MountableLayer MultiWrite NewPuller " +
    "NewPusher Option Puller Push Pusher Put Referrers Reuse Tag Taggable Tags WithAuth WithAuthFromKeychain " +
    "WithContext WithFilter WithJobs WithNondistributable WithPageSize WithPlatform WithProgress " +
    "WithReferrersTagFallback WithRetryBackoff WithRetryPredicate WithRetryStatusCodes WithTransport " +
    "WithUserAgent Write WriteIndex WriteLayer",
  "pkg/v1/remote/transport":
    "Backoff BlobUnknownErrorCode BlobUploadInvalidErrorCode BlobUploadUnknownErrorCode CatalogScope Challenge " +
    "CheckError DeleteScope DeniedErrorCode Diagnostic DigestInvalidErrorCode Error ErrorCode Exchange FromToken " +
    "ManifestBlobUnknownErrorCode ManifestInvalidErrorCode ManifestUnknownErrorCode ManifestUnverifiedErrorCode " +
    "NameInvalidErrorCode NameUnknownErrorCode New NewLogger NewRetry NewUserAgent NewWithContext Option Ping " +
    "PullScope PushScope SizeInvalidErrorCode TagInvalidErrorCode Token TooManyRequestsErrorCode " +
    "UnauthorizedErrorCode UnavailableErrorCode UnknownErrorCode UnsupportedErrorCode Version WithRetryBackoff " +
    "WithRetryPredicate WithRetryStatusCodes Wrapper",
  "pkg/v1/cache": "Cache ErrNotFound Image ImageIndex NewFilesystemCache ReadOnly",
  "pkg/v1/validate": "Fast Image Index Layer Option",
  "pkg/v1/google":
    "Keychain List ManifestInfo NewEnvAuthenticator NewGcloudAuthenticator NewJSONKeyAuthenticator " +
    "NewTokenAuthenticator NewTokenSourceAuthenticator Option Tags Walk WalkFunc WithAuth WithAuthFromKeychain " +
    "WithContext WithTransport WithUserAgent",
  "pkg/v1/fake": "FakeImage FakeImageIndex",
  "pkg/compression": "Compression GZip None ZStd",
  "pkg/v1/compare": "Images Indexes Layers",
  "pkg/authn":
    "Anonymous AuthConfig Authenticator Authorization Basic Bearer ContextAuthenticator ContextKeychain " +
    "DefaultAuthKey DefaultKeychain FromConfig Helper Keychain NewKeychainFromHelper NewMultiKeychain " +
    "RefreshingKeychain Resolve Resource",
  "pkg/authn/github": "Keychain",
  "pkg/authn/k8schain": "New NewFromPullSecrets NewInCluster NewNoClient Options",
  "pkg/authn/kubernetes": "New NewFromPullSecrets NewInCluster NoServiceAccount Options",
  "pkg/logs": "Debug Enabled Progress Warn",
  "pkg/registry":
    "BlobDeleteHandler BlobHandler BlobPutHandler BlobStatHandler ErrNotFound Logger New NewDiskBlobHandler " +
    "NewInMemoryBlobHandler Option RedirectError TLS WithBlobHandler WithReferrersSupport WithWarning",
  "pkg/crane":
    "Append Catalog Config Copy CopyRepository Delete Digest ErrRefusingToClobberExistingTag Export Get " +
    "GetOptions Head Image Insecure Layer ListTags Load LoadTag Manifest MultiSave MultiSaveLegacy MultiSaveOCI " +
    "Option Options Pull PullLayer Push Save SaveLegacy SaveOCI Tag Upload WithAuth WithAuthFromKeychain " +
    "WithContext WithJobs WithNoClobber WithNondistributable WithPlatform WithTransport WithUserAgent",
  "pkg/gcrane":
    "Copy CopyRepository GCRBackoff Keychain Option WithAuth WithContext WithJobs WithKeychain WithPlatform " +
    "WithTransport WithUserAgent",
  "pkg/legacy": "LayerConfigFile",
  "pkg/legacy/tarball": "MultiWrite Write",
};
