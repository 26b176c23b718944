/** Loads the dataset for a command, showing a download where there is one. */

import type { DataIter } from '../data/dataLoader.js';
import { type LoadDataFashionMnistOptions, loadDataFashionMnist } from '../data/loadDataFashionMnist.js';
import { DownloadView } from '../views/downloadView.js';
import type { ViewStream } from '../views/view.js';

export async function loadData(
  options: LoadDataFashionMnistOptions,
  stream: ViewStream,
): Promise<[trainIter: DataIter, testIter: DataIter]> {
  const view = new DownloadView(stream);
  try {
    return await loadDataFashionMnist({ ...options, onProgress: (progress) => view.onProgress(progress) });
  } finally {
    view.close();
  }
}
