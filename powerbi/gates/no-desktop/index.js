// The report gate reads files. What it imports to drive Desktop exists only on Windows,
// so these names are here to be imported and say what is missing when they are called.
function noDesktop() {
  throw new Error("Power BI Desktop runs on Windows only; the gates read files.");
}

export const METHODS = {};
export const getMethodNames = () => [];
export const isDesktopBridgeError = () => false;
export {
  noDesktop as normalizeReportFolder,
  noDesktop as openDesktop,
  noDesktop as openSession,
  noDesktop as readDesktopStatus,
  noDesktop as reportFoldersEqual,
  noDesktop as resolveInstanceForReportFolder,
  noDesktop as resolveReportDir,
};
