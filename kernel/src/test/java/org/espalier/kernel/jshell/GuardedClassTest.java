package org.espalier.kernel.jshell;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandles;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

class GuardedClassTest {

    private static final int MOST_BYTES = 65_535;

    /** A method of almost the most bytes that there may be: the question whether to stop does not fit into it. */
    @Test
    void aFullMethodIsStillGuarded() throws Exception {
        Class<?> full = define(MOST_BYTES - 6);
        assertThatThrownBy(() -> full.getMethod("run").invoke(null))
                .cause()
                .isInstanceOf(SecurityException.class)
                .hasMessageStartingWith("System.exit(3) was refused");
    }

    private static Class<?> define(int padding) throws IllegalAccessException {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(
                Opcodes.V17, Opcodes.ACC_PUBLIC, "org/espalier/kernel/jshell/Full", null, "java/lang/Object", null);
        MethodVisitor method = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "run", "()V", null, null);
        method.visitCode();
        for (int i = 0; i < padding; i++) {
            method.visitInsn(Opcodes.NOP);
        }
        method.visitInsn(Opcodes.ICONST_3);
        method.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/System", "exit", "(I)V", false);
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(1, 0);
        method.visitEnd();
        writer.visitEnd();
        return MethodHandles.lookup().defineClass(GuardedClass.of(writer.toByteArray()));
    }
}
