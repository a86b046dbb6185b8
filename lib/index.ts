/** The public API: all that recipes and tasks import. */

export type {
  Catalogue,
  ProductDefinition,
  Role,
  SettingDefinition,
} from './bootstrap/definitions.ts'
export { expand } from './bootstrap/expand.ts'
export { findMode, findProduct, findRole, findSetting } from './bootstrap/lookup.ts'
export type { HostProduct } from './bootstrap/product.ts'
export { checkSetting, parseAssignments } from './bootstrap/settings.ts'
export type { HostState, ProductState, ServerState } from './bootstrap/state.ts'
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
export type { Verdict } from './heartbeat/probe.ts'
export type { Host } from './inventory/inventory.ts'
export type { ActionOptions, ChangedWhen } from './resources/action.ts'
export { type AptRepoOptions, aptRepo } from './resources/apt-repo.ts'
export { type ArchiveFormat, type ArchiveOptions, archive } from './resources/archive.ts'
export {
  type AuthorizedKey,
  type AuthorizedKeysOptions,
  authorizedKeys,
} from './resources/authorized-keys.ts'
export { type BlockOptions, block } from './resources/block.ts'
export { type CommandOptions, command } from './resources/command.ts'
export { all, any, changed, exists, not, succeeds, type When } from './resources/conditions.ts'
export { type ContainerOptions, container } from './resources/container.ts'
export { type CopyTreeOptions, copyTree } from './resources/copy-tree.ts'
export { type CronOptions, cron } from './resources/cron.ts'
export type { CronTimes } from './resources/cron-schedule.ts'
export { type DirectoryOptions, directory } from './resources/directory.ts'
export { type DnfRepoOptions, dnfRepo } from './resources/dnf-repo.ts'
export { type DownloadOptions, download } from './resources/download.ts'
export type { KeyOptions, KeyPath, KeyValue } from './resources/edit/resource.ts'
export { type EnvFileOptions, envFile } from './resources/env-file.ts'
export { type FetchOptions, fetch } from './resources/fetch.ts'
export { type FileContent, type FileOptions, file } from './resources/file.ts'
export { type GitOptions, git } from './resources/git.ts'
export { type GroupOptions, group } from './resources/group.ts'
export type { LinePattern } from './resources/host-pattern.ts'
export { hostname } from './resources/hostname.ts'
export { type HostsOptions, hosts } from './resources/hosts.ts'
export { type IniOptions, ini } from './resources/ini.ts'
export { type JsonOptions, json } from './resources/json.ts'
export { type KernelModuleOptions, kernelModule } from './resources/kernel-module.ts'
export { type LineOptions, line } from './resources/line.ts'
export { type LinkOptions, link } from './resources/link.ts'
export { type LocaleOptions, locale } from './resources/locale.ts'
export { type MountOptions, mount } from './resources/mount.ts'
export { type PkgOptions, pkg } from './resources/pkg.ts'
export { type RebootOptions, reboot } from './resources/reboot.ts'
export type { RepositoryKey } from './resources/repository-key.ts'
export {
  flushHandlers,
  handler,
  type Items,
  type Resource,
  type Task,
  type TemplateHost,
  task,
} from './resources/resource.ts'
export { type ScriptOptions, script } from './resources/script.ts'
export { type ServiceOptions, service } from './resources/service.ts'
export { type SudoersOptions, type SudoRule, sudoers } from './resources/sudoers.ts'
export { type SwapOptions, swap } from './resources/swap.ts'
export { type SysctlOptions, sysctl } from './resources/sysctl.ts'
export {
  type SystemdUnitOptions,
  systemdUnit,
  type UnitSections,
  type UnitValue,
} from './resources/systemd-unit.ts'
export { timezone } from './resources/timezone.ts'
export { type TomlOptions, toml } from './resources/toml.ts'
export { type UserOptions, user } from './resources/user.ts'
export { type Awaited, type WaitOptions, waitFor } from './resources/wait-for.ts'
export { type YamlOptions, yaml } from './resources/yaml.ts'
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
} from './run/arguments.ts'
export { type Disk, type Disks, disks, type FileSystem, type Partition } from './run/facts/disks.ts'
export { type Fact, type FactOptions, fact } from './run/facts/fact.ts'
export {
  type Address,
  type Gateway,
  type Interface,
  type Network,
  network,
} from './run/facts/network.ts'
export { type Package, type Packages, packages } from './run/facts/packages.ts'
export { type Service, type Services, services } from './run/facts/services.ts'
export { type Group, type User, type Users, users } from './run/facts/users.ts'
export {
  type Converged,
  type PrepareContext,
  type ProductWishes,
  type Recipe,
  type RecipeOptions,
  type Report,
  type RunContext,
  type RunningHost,
  recipe,
} from './run/recipe.ts'
export {
  type CommandSourceOptions,
  fromCommand,
  fromEnv,
  fromFile,
  fromPrompt,
  type SecretSource,
  type SecretSources,
  type SecretValues,
} from './run/secret-sources.ts'
export type { Dollar, ProcessOutput, ProcessPromise } from './session/dollar.ts'
export type { Facts } from './session/facts.ts'
export { type Secret, secret } from './shell/secret.ts'
export { sh } from './shell/template.ts'
