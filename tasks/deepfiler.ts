/** deepfiler, the example product: a small HTTP service from a release archive (tasks/deepfiler/). */
import { file } from '../lib/index.ts'
import type { ProductModule } from './product.ts'

export const deepfiler: ProductModule = {
  // Its control script looks there for the program that runs it and for its config.
  prepare: ({ home, config }, { vars }) => {
    const node = vars.maybeText('node')
    return [
      node && file(`${home}/node`, { content: `${node}\n` }),
      file(`${home}/config`, { content: `${config}\n` }),
    ]
  },
}
