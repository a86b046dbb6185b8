/**
 * hostwright/testing: hosts for the tests of a project, under any runner (`hostwright test` is one).
 *
 *     import { expectConverges, lab } from 'hostwright/testing'
 */
export type { Ended } from './command-line.ts'
export { type Converged, type ConvergeOptions, expectConverges, NotConverged } from './converge.ts'
export type { FileOnHost, TestHost } from './host.ts'
export { type LabOptions, lab, type TestLab } from './lab.ts'
