/** How well a model predicts given text: bits by token, their mean and its standard error. */
package org.espalier.score;
