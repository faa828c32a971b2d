(** Two numbers in a machine integer: lanes of 31 bits. Sums and products with common factors are computed on both
    at once, modulo 2^63, and the lanes are taken apart at the end, when they are known to be small. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding.
Import ListNotations.
Open Scope Z_scope.

(** Equality modulo 2^63. *)
Definition congruent (a b : Z) : Prop := exists k, a = b + k * 2 ^ 63.

Lemma congruent_refl a : congruent a a.
Proof. exists 0. lia. Qed.

Lemma congruent_add a b c d : congruent a b -> congruent c d -> congruent (a + c) (b + d).
Proof. intros [k ->] [l ->]. exists (k + l). lia. Qed.

Lemma congruent_mul c a b : congruent a b -> congruent (c * a) (c * b).
Proof. intros [k ->]. exists (c * k). ring. Qed.

Lemma congruent_trans a b c : congruent a b -> congruent b c -> congruent a c.
Proof. intros [k ->] [l ->]. exists (k + l). lia. Qed.

Lemma congruent_mod a b : a = b mod 2 ^ 63 -> congruent a b.
Proof. intros ->. exists (- (b / 2 ^ 63)). pose proof (Z.div_mod b (2 ^ 63) ltac:(lia)). lia. Qed.

Lemma congruent_small a b : congruent a b -> 0 <= a < 2 ^ 63 -> 0 <= b < 2 ^ 63 -> a = b.
Proof. intros [k E] Ha Hb. assert (k = 0) by nia. lia. Qed.

Lemma congruent_signed v : congruent (signed v) (φ (v)%uint63).
Proof. unfold signed. destruct (_ <? _); [exists 0 | exists (-1)]; lia. Qed.

Lemma congruent_of_Z z : congruent (φ (of_Z z)%uint63) z.
Proof. apply congruent_mod. apply of_Z_spec. Qed.

(** * Choosing entries of a list *)

Definition pick {S} (d : S) (chosen : list nat) (s : list S) : list S := map (fun i => nth i s d) chosen.

Lemma pick_length {S} (d : S) chosen s : length (pick d chosen s) = length chosen.
Proof. apply map_length. Qed.

Lemma pick_map {S T} (f : S -> T) d chosen s : pick (f d) chosen (map f s) = map f (pick d chosen s).
Proof. unfold pick. rewrite map_map. apply map_ext. intros i. apply map_nth. Qed.

Lemma dot_app a : forall c u v, length a = length u -> dot (a ++ c) (u ++ v) = dot a u + dot c v.
Proof.
  induction a as [|w a IH]; intros c [|t u] v E; try discriminate; [reflexivity|].
  cbn [app dot]. rewrite IH by now injection E. ring.
Qed.

(** * Packing rows two by two *)

Definition lane : Z := 2 ^ 31.

(** Words p + 2^31 q from rows p, q; the last row may stand by itself. *)
Fixpoint pack (rows : list (list int)) : list (list int) :=
  match rows with
  | p :: q :: rows' => zip (fun a b => (a + (b << 31))%uint63) p q :: pack rows'
  | [p] => [p]
  | [] => []
  end.

(** Numbers of words. *)
Definition words_for (n : nat) : nat := Nat.div2 (S n).

Lemma two_by_two (P : list (list int) -> Prop) : P [] -> (forall p, P [p]) -> (forall p q rows, P rows -> P (p :: q :: rows)) ->
  forall rows, P rows.
Proof.
  intros H0 H1 H2 rows. assert (G : P rows /\ forall p, P (p :: rows)); [|apply G].
  induction rows as [|q rows [IH1 IH2]]; [auto|]. split; [apply IH2|]. intros p. apply H2. assumption.
Qed.

Lemma pack_length rows : length (pack rows) = words_for (length rows).
Proof. revert rows. apply two_by_two; try reflexivity. intros p q rows IH. cbn [pack length]. rewrite IH. reflexivity. Qed.

(** v stands for z. *)
Definition residue (v : int) (z : Z) : Prop := congruent (φ (v)%uint63) z.

Lemma pack_residue a b p q : residue a p -> residue b q -> residue (a + (b << 31))%uint63 (p + lane * q).
Proof.
  unfold residue. intros Ha Hb. eapply congruent_trans; [apply congruent_mod, add_spec|].
  apply congruent_add; [assumption|]. eapply congruent_trans; [apply congruent_mod, lsl_spec|].
  change (2 ^ φ (31)%uint63) with lane. rewrite Z.mul_comm. now apply congruent_mul.
Qed.

Lemma residue_nth s t i : Forall2 residue s t -> residue (nth i s 0%uint63) (nth i t 0).
Proof.
  intros F. destruct (Nat.lt_ge_cases i (length s)) as [H|H]; [now apply Forall2_nth|].
  rewrite !nth_overflow; [apply congruent_refl | rewrite <- (Forall2_same_length _ _ _ F) | ]; assumption.
Qed.

Lemma zip_residue m : forall s t p q, length s = m -> length t = m -> Forall2 residue s p -> Forall2 residue t q -> forall i,
  residue (nth i (zip (fun a b => (a + (b << 31))%uint63) s t) 0%uint63) (nth i p 0 + lane * nth i q 0).
Proof.
  intros s t p q Es Et Fs Ft i. pose proof (residue_nth s p i Fs) as Hs. pose proof (residue_nth t q i Ft) as Ht.
  destruct (Nat.lt_ge_cases i m) as [H|H].
  - rewrite (zip_nth _ 0%uint63 0%uint63) by lia. now apply pack_residue.
  - rewrite nth_overflow in Hs, Ht by lia. rewrite nth_overflow by (rewrite zip_length; lia).
    exact (pack_residue _ _ _ _ Hs Ht).
Qed.

Lemma pack_spec m rows : forall T, Forall (fun row => length row = m) rows -> Forall2 (Forall2 residue) rows T ->
  forall j i, (j < length (pack rows))%nat ->
  residue (nth i (nth j (pack rows) []) 0%uint63) (nth i (nth (2 * j) T []) 0 + lane * nth i (nth (2 * j + 1) T []) 0).
Proof.
  revert rows. apply (two_by_two (fun rows => forall T, Forall (fun row => length row = m) rows -> Forall2 (Forall2 residue) rows T ->
    forall j i, (j < length (pack rows))%nat ->
    residue (nth i (nth j (pack rows) []) 0%uint63) (nth i (nth (2 * j) T []) 0 + lane * nth i (nth (2 * j + 1) T []) 0))).
  - intros T _ _ j i H. cbn in H. lia.
  - intros p T _ F j i H. cbn in H. replace j with 0%nat by lia. inversion F as [|? t ? T' Fp FT]; subst. inversion FT; subst.
    cbn [pack Nat.mul Nat.add nth].
    replace (match i with O => 0 | S _ => 0 end) with 0 by (destruct i; reflexivity). rewrite Z.mul_0_r, Z.add_0_r.
    now apply residue_nth.
  - intros p q rows IH T F1 F j i H. inversion_clear F1 as [|? ? Hp F']. inversion_clear F' as [|? ? Hq F1'].
    inversion F as [|? t ? T' Fp FT]; subst. inversion FT as [|? t' ? T'' Fq FT']; subst. cbn [pack length] in H.
    destruct j as [|j]; [now apply (zip_residue (length p))|].
    replace (2 * S j)%nat with (S (S (2 * j))) by lia. replace (S (S (2 * j)) + 1)%nat with (S (S (2 * j + 1))) by lia.
    cbn [pack nth]. apply IH; [assumption|assumption|lia].
Qed.

Lemma Forall2_map_same {S T X} (P : T -> X -> Prop) (f : S -> T) (g : S -> X) s :
  (forall a, P (f a) (g a)) -> Forall2 P (map f s) (map g s).
Proof. intros H. induction s; constructor; auto. Qed.

(** v / 2^t for a signed v. *)
Definition cut63 (t v : int) : int := (((v + half) >> t) - (half >> t))%uint63.

Lemma cut63_spec t v : 0 <= t <= 62 -> residue (cut63 (of_Z t) v) (signed v / 2 ^ t).
Proof.
  intros Ht. unfold residue, cut63. eapply congruent_trans; [apply congruent_mod, sub_spec|].
  rewrite !lsr_spec, above_half, half_spec, of_Z_spec, wB_value, (Z.mod_small t) by lia.
  replace (2 ^ 62) with (2 ^ (62 - t) * 2 ^ t) by (rewrite <- Z.pow_add_r by lia; f_equal; lia).
  assert (0 < 2 ^ t) by (apply Z.pow_pos_nonneg; lia).
  rewrite Z.div_add, Z.div_mul by lia. exists 0. lia.
Qed.

Lemma dot_pack h : forall chosen w p q, (forall i, residue (nth i w 0%uint63) (nth i p 0 + lane * nth i q 0)) ->
  congruent (dot h (map signed (pick 0%uint63 chosen w))) (dot h (pick 0 chosen p) + lane * dot h (pick 0 chosen q)).
Proof.
  induction h as [|a h IH]; intros [|i chosen] w p q H; cbn [dot pick map]; try (exists 0; lia).
  eapply congruent_trans; [apply congruent_add; [exact (congruent_mul _ _ _ (congruent_trans _ _ _ (congruent_signed _) (H i))) | apply (IH chosen w p q H)]|].
  unfold pick. exists 0. ring.
Qed.

(** * Taking lanes apart *)

Definition low_mask : int := Eval compute in ((1 << 31) - 1)%uint63.

Fixpoint lanes (words : list int) : list int :=
  match words with
  | [] => []
  | a :: words' => (a land low_mask)%uint63 :: (a >> 31)%uint63 :: lanes words'
  end.

Lemma lanes_length words : length (lanes words) = (2 * length words)%nat.
Proof. induction words as [|a words IH]; [reflexivity|]. cbn [lanes length]. rewrite IH. lia. Qed.

Lemma low_mask_spec a : φ (a land low_mask)%uint63 = φ (a)%uint63 mod lane.
Proof.
  rewrite land_spec'. change (φ (low_mask)%uint63) with (Z.ones 31). now rewrite Z.land_ones by lia.
Qed.

Lemma high_lane_spec a : φ (a >> 31)%uint63 = φ (a)%uint63 / lane.
Proof. rewrite lsr_spec. reflexivity. Qed.

Lemma lanes_spec words : forall f, (forall j, (j < length words)%nat ->
    congruent (φ (nth j words 0)%uint63) (f (2 * j)%nat + lane * f (2 * j + 1)%nat)) ->
  (forall z, 0 <= f z < lane) ->
  forall z, (z < 2 * length words)%nat -> φ (nth z (lanes words) 0)%uint63 = f z.
Proof.
  induction words as [|a words IH]; intros f Hf Hb z Hz; cbn [length] in Hz; [lia|].
  assert (E : φ (a)%uint63 = f 0%nat + lane * f 1%nat).
  { apply congruent_small; [apply (Hf 0%nat); cbn; lia | apply machine_bounds |].
    pose proof (Hb 0%nat). pose proof (Hb 1%nat). unfold lane in *. lia. }
  pose proof (Hb 0%nat) as B0. pose proof (Hb 1%nat) as B1.
  destruct z as [|[|z]]; cbn [lanes nth].
  - rewrite low_mask_spec, E, (Z.mul_comm lane), Z.mod_add by (unfold lane; lia). now apply Z.mod_small.
  - rewrite high_lane_spec, E, (Z.mul_comm lane), Z.div_add by (unfold lane; lia). rewrite Z.div_small by assumption. lia.
  - apply (IH (fun k => f (S (S k)))); [|intros k; apply Hb|lia].
    intros j Hj. specialize (Hf (S j) ltac:(cbn; lia)). cbn [nth] in Hf.
    replace (2 * S j)%nat with (S (S (2 * j))) in Hf by lia. replace (S (S (2 * j)) + 1)%nat with (S (S (2 * j + 1))) in Hf by lia.
    exact Hf.
Qed.

(** The lane of number z. *)
Fixpoint lane_at (z : nat) (words : list int) : int :=
  match words with
  | [] => 0%uint63
  | a :: words' => match z with
                   | O => (a land low_mask)%uint63
                   | S O => (a >> 31)%uint63
                   | S (S z') => lane_at z' words'
                   end
  end.

Lemma lane_at_spec words : forall z, lane_at z words = nth z (lanes words) 0%uint63.
Proof. induction words as [|a words IH]; intros z; [destruct z; reflexivity|]. destruct z as [|[|z]]; try reflexivity. apply IH. Qed.

(** The numbers of the lanes that are not below t; [high] is t 2^31. *)
Fixpoint lanes_from (t high : int) (z : nat) (words : list int) : list nat :=
  match words with
  | [] => []
  | a :: words' =>
      if (a <? high)%uint63 then
        if (a land low_mask <? t)%uint63 then lanes_from t high (S (S z)) words'
        else z :: lanes_from t high (S (S z)) words'
      else if (a land low_mask <? t)%uint63 then S z :: lanes_from t high (S (S z)) words'
      else z :: S z :: lanes_from t high (S (S z)) words'
  end.

Lemma lanes_from_spec t : φ (t)%uint63 < lane -> forall words z0 z, (z < 2 * length words)%nat ->
  φ (nth z (lanes words) 0)%uint63 < φ (t)%uint63 \/ In (z0 + z)%nat (lanes_from t (t << 31) z0 words).
Proof.
  intros Ht. assert (Hh : φ (t << 31)%uint63 = φ (t)%uint63 * lane).
  { rewrite lsl_spec. change (2 ^ φ (31)%uint63) with lane. pose proof (machine_bounds t). apply Z.mod_small. unfold lane in *.
    change wB with (2 ^ 63). lia. }
  induction words as [|a words IH]; intros z0 z Hz; cbn [length] in Hz; [lia|].
  assert (K : forall z, (z < 2 * length words)%nat -> φ (nth z (lanes words) 0)%uint63 < φ (t)%uint63 \/
    In (z0 + S (S z))%nat (lanes_from t (t << 31) (S (S z0)) words)).
  { intros k Hk. replace (z0 + S (S k))%nat with (S (S z0) + k)%nat by lia. now apply IH. }
  assert (HI : (a <? t << 31)%uint63 = true -> φ (a >> 31)%uint63 < φ (t)%uint63).
  { intros H. apply ltb_spec in H. rewrite Hh in H. rewrite high_lane_spec. apply Z.div_lt_upper_bound; unfold lane in *; lia. }
  assert (LO : (a land low_mask <? t)%uint63 = true -> φ (a land low_mask)%uint63 < φ (t)%uint63) by (intros H; now apply ltb_spec).
  cbn [lanes_from lanes]. destruct (a <? t << 31)%uint63, (a land low_mask <? t)%uint63;
    destruct z as [|[|z]]; cbn [nth In]; rewrite ?Nat.add_0_r, ?Nat.add_1_r; auto;
    destruct (K z ltac:(lia)); auto.
Qed.

(** * Adding lists of words *)

Definition add63 : list int -> list int -> list int := zip (fun a c => (a + c)%uint63).

Lemma add63_length a c : length a = length c -> length (add63 a c) = length a.
Proof. apply zip_length. Qed.

Lemma add63_nth a c z : length a = length c -> (z < length a)%nat ->
  congruent (φ (nth z (add63 a c) 0)%uint63) (φ (nth z a 0)%uint63 + φ (nth z c 0)%uint63).
Proof. intros E Hz. unfold add63. rewrite (zip_nth _ 0%uint63 0%uint63) by lia. apply congruent_mod. apply add_spec. Qed.

(** Four lists at once: a word is written once and not four times. *)
Fixpoint add4 (acc a b c d : list int) : list int :=
  match acc, a, b, c, d with
  | v :: acc', p :: a', q :: b', r :: c', s :: d' => (v + p + q + r + s)%uint63 :: add4 acc' a' b' c' d'
  | _, _, _, _, _ => []
  end.

Lemma add4_spec : forall acc a b c d, length a = length acc -> length b = length acc -> length c = length acc ->
  length d = length acc -> add4 acc a b c d = add63 (add63 (add63 (add63 acc a) b) c) d.
Proof.
  induction acc as [|v acc IH]; intros [|p a] [|q b] [|r c] [|s d] E1 E2 E3 E4; try discriminate; [reflexivity|].
  cbn [add4 add63 zip]. f_equal. apply IH; [now injection E1 | now injection E2 | now injection E3 | now injection E4].
Qed.

Fixpoint total (acc : list int) (T : list (list int)) : list int :=
  match T with
  | a :: T1 => match T1 with
               | b :: c :: d :: T4 => total (add4 acc a b c d) T4
               | _ => fold_left add63 T acc
               end
  | [] => acc
  end.

Lemma fold_add_length n : forall T acc, length acc = n -> Forall (fun a => length a = n) T -> length (fold_left add63 T acc) = n.
Proof.
  induction T as [|a T IH]; intros acc E F; [assumption|]. inversion_clear F as [|? ? Ha F']. cbn [fold_left].
  apply IH; [|assumption]. rewrite add63_length; congruence.
Qed.

Lemma total_spec n : forall k T acc, (length T <= k)%nat -> length acc = n -> Forall (fun a => length a = n) T ->
  total acc T = fold_left add63 T acc.
Proof.
  induction k as [|k IH]; intros T acc Hk E F; [destruct T; [reflexivity | cbn in Hk; lia]|].
  destruct T as [|a [|b [|c [|d T]]]]; try reflexivity. cbn [total fold_left].
  inversion_clear F as [|? ? Fa F1]. inversion_clear F1 as [|? ? Fb F2]. inversion_clear F2 as [|? ? Fc F3].
  inversion_clear F3 as [|? ? Fd F4].
  rewrite add4_spec by congruence. apply IH; [cbn in Hk; lia| |assumption].
  rewrite !add63_length by (rewrite ?add63_length by (rewrite ?add63_length by (rewrite ?add63_length; congruence); congruence); congruence).
  assumption.
Qed.

Lemma fold_add_nth n z : forall T acc, (z < n)%nat -> length acc = n -> Forall (fun a => length a = n) T ->
  congruent (φ (nth z (fold_left add63 T acc) 0)%uint63)
    (φ (nth z acc 0)%uint63 + sum (map (fun a => φ (nth z a 0)%uint63) T)).
Proof.
  induction T as [|a T IH]; intros acc Hz E F; cbn [fold_left map].
  - unfold sum. cbn. exists 0. lia.
  - inversion_clear F as [|? ? Fa F'].
    eapply congruent_trans; [apply IH; [assumption| |assumption]; rewrite add63_length; congruence|].
    unfold sum in *. cbn [fold_right].
    eapply congruent_trans; [apply congruent_add; [apply add63_nth; congruence | apply congruent_refl]|]. exists 0. lia.
Qed.
