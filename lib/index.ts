/** The public API: all that recipes and tasks import. */

export type {
  Catalogue,
  ProductDefinition,
  Role,
  SettingDefinition,
} from './bootstrap/definitions.ts'
export { type Drain, describeDrain } from './bootstrap/drain.ts'
export { expand } from './bootstrap/expand.ts'
export {
  configCopy,
  decide,
  describeIntent,
  type Intent,
  type Move,
  settledMode,
  type Target,
  type Wanted,
} from './bootstrap/intent.ts'
export {
  checkSettingNames,
  findMode,
  findProduct,
  findRole,
  findSetting,
} from './bootstrap/lookup.ts'
export type { HostProduct } from './bootstrap/product.ts'
export { checkSetting, parseAssignments } from './bootstrap/settings.ts'
export type { HostState, ProductState, ServerState } from './bootstrap/state.ts'
export { compareVersions, isVersion } from './bootstrap/version.ts'
export {
  BootstrapError,
  type ErrorCode,
  type ErrorDetails,
  InterruptedError,
  isBootstrapError,
  StepError,
  UsageError,
} from './errors.ts'
export type { HostOutcome } from './events.ts'
export type { Address } from './facts/addresses.ts'
export { type Disk, type Disks, disks, type FileSystem, type Partition } from './facts/disks.ts'
export { type Fact, type FactOptions, fact } from './facts/fact.ts'
export {
  type Gateway,
  type Interface,
  type Network,
  network,
} from './facts/network.ts'
export { type Package, type Packages, packages } from './facts/packages.ts'
export { type Service, type Services, services } from './facts/services.ts'
export { type Group, type User, type Users, users } from './facts/users.ts'
export type { Verdict } from './heartbeat/probe.ts'
export type { Host } from './inventory/inventory.ts'
export type { InventoryView } from './inventory/view.ts'
export {
  type Argument,
  type ArgumentTypes,
  type ArgumentValues,
  assignment,
  integer,
  mode,
  oneOf,
  optional,
  product,
  rest,
  role,
  string,
} from './recipe/arguments.ts'
export {
  type AfterContext,
  type AroundContext,
  type Change,
  type Converged,
  type Done,
  type EffectOptions,
  type HookContext,
  type OfBatch,
  type OtherHost,
  type OtherHosts,
  type PrepareContext,
  type ProductWishes,
  type Recipe,
  type RecipeOptions,
  type Report,
  type RunContext,
  type RunningHost,
  recipe,
} from './recipe/recipe.ts'
export type {
  Gate,
  GateAnswer,
  GateContext,
  GateVerdict,
  OnFailure,
  RolloutOptions,
  Share,
} from './recipe/rollout-options.ts'
export {
  type CommandSourceOptions,
  fromCommand,
  fromEnv,
  fromFile,
  fromPrompt,
  type SecretPlace,
  type SecretSource,
  type SecretSourceFor,
  type SecretSources,
  type SecretValues,
} from './recipe/secret-sources.ts'
export type { ActionOptions, ChangedWhen } from './resources/commands/action.ts'
export { type CommandOptions, command } from './resources/commands/command.ts'
export { type ContainerOptions, container } from './resources/commands/container.ts'
export { type RebootOptions, reboot } from './resources/commands/reboot.ts'
export { type ScriptOptions, script } from './resources/commands/script.ts'
export { type Awaited, type WaitOptions, waitFor } from './resources/commands/wait-for.ts'
export { all, any, changed, exists, not, succeeds, type When } from './resources/conditions.ts'
export type { KeyOptions, KeyPath, KeyValue } from './resources/data/edit/resource.ts'
export { type JsonOptions, json } from './resources/data/json.ts'
export { type TomlOptions, toml } from './resources/data/toml.ts'
export { type YamlOptions, yaml } from './resources/data/yaml.ts'
export { type BlockOptions, block } from './resources/editing/block.ts'
export { type EnvFileOptions, envFile } from './resources/editing/env-file.ts'
export { type HostsOptions, hosts } from './resources/editing/hosts.ts'
export { type IniOptions, ini } from './resources/editing/ini.ts'
export { type KnownHostsOptions, knownHosts } from './resources/editing/known-hosts.ts'
export { type LineOptions, line } from './resources/editing/line.ts'
export { type ReplaceOptions, replace } from './resources/editing/replace.ts'
export { type CopyTreeOptions, copyTree } from './resources/files/copy-tree.ts'
export { type DirectoryOptions, directory } from './resources/files/directory.ts'
export { type FileContent, type FileOptions, file } from './resources/files/file.ts'
export { type LinkOptions, link } from './resources/files/link.ts'
export type { LinePattern } from './resources/host-pattern.ts'
export { type AptRepoOptions, aptRepo } from './resources/packages/apt-repo.ts'
export { type DnfRepoOptions, dnfRepo } from './resources/packages/dnf-repo.ts'
export { type NpmPackageOptions, npmPackage } from './resources/packages/npm-package.ts'
export { type PkgOptions, pkg } from './resources/packages/pkg.ts'
export type { RepositoryKey } from './resources/packages/repository-key.ts'
export {
  type ConfirmOptions,
  flushHandlers,
  handler,
  type Items,
  type Resource,
  type Task,
  type TemplateHost,
  task,
} from './resources/resource.ts'
export { type CronOptions, cron } from './resources/system/cron.ts'
export type { CronTimes } from './resources/system/cron-schedule.ts'
export { hostname } from './resources/system/hostname.ts'
export { type KernelModuleOptions, kernelModule } from './resources/system/kernel-module.ts'
export { type LocaleOptions, locale } from './resources/system/locale.ts'
export { type MountOptions, mount } from './resources/system/mount.ts'
export { type ServiceOptions, service } from './resources/system/service.ts'
export { type SwapOptions, swap } from './resources/system/swap.ts'
export { type SysctlOptions, sysctl } from './resources/system/sysctl.ts'
export {
  type SystemdUnitOptions,
  systemdUnit,
  type UnitSections,
  type UnitValue,
} from './resources/system/systemd-unit.ts'
export { timezone } from './resources/system/timezone.ts'
export {
  type HostTemplateOptions,
  type TemplateOptions,
  type TemplateVars,
  template,
} from './resources/template.ts'
export { type ArchiveFormat, type ArchiveOptions, archive } from './resources/transfer/archive.ts'
export { type DownloadOptions, download } from './resources/transfer/download.ts'
export { type FetchOptions, fetch } from './resources/transfer/fetch.ts'
export { type GitOptions, git } from './resources/transfer/git.ts'
export { adoptConfig, asPart, restoreConfig } from './resources/undertaking.ts'
export {
  type AuthorizedKey,
  type AuthorizedKeysOptions,
  authorizedKeys,
} from './resources/users/authorized-keys.ts'
export { type GroupOptions, group } from './resources/users/group.ts'
export { type SudoersOptions, type SudoRule, sudoers } from './resources/users/sudoers.ts'
export { type UserOptions, user } from './resources/users/user.ts'
export type { Dollar, ProcessOutput, ProcessPromise } from './session/dollar.ts'
export type { Facts } from './session/first-facts.ts'
export { type Secret, secret } from './shell/secret.ts'
export { sh } from './shell/template.ts'
