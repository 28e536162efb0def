// What JSX compiles to in the bundles: shorter than the automatic runtime by a kilobyte a widget.
export { Fragment, h } from "preact";
