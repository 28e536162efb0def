// All that deals with an uploader's files, from the first one that is chosen: the list, the sending, the metadata.
export { Files } from "../components/Files";
export { OnTheWay } from "../components/OnTheWay";
export { Queue } from "../lib/queue";
