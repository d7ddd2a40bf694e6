/**
 * What the config.json of most models says, read strictly: a missing required key, or a value that changes the computation in a way that
 * is not done here, fails by name. An architecture puts its config together from these records and its own keys.
 */
package org.espalier.config;
