/**
 * From a Hugging Face checkpoint to MLX's quantized format, tensor by tensor: a {@link org.espalier.quantize.ConversionPlan} says what
 * becomes of each tensor, a {@link org.espalier.quantize.Quantizer} carries it out without ever holding more than a few rows.
 */
package org.espalier.quantize;
