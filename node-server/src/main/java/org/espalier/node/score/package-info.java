/** How well a model predicts given text, and which experts it used for that: the measure behind bits per byte and perplexity. */
package org.espalier.node.score;
