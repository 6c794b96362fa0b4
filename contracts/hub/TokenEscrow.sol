// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {ITokenEscrow} from "../interfaces/ITokenEscrow.sol";
import {ITokenSpender} from "../interfaces/ITokenSpender.sol";
import {RequestOrder} from "../types/Orders.sol";
import {Escrow} from "./Escrow.sol";

/// @title TokenEscrow: the edge of the escrow over an ERC-20 token
abstract contract TokenEscrow is ITokenEscrow, Escrow {
    constructor() {
        _deployed(address(TOKEN));
    }

    /* DEPOSITS */

    /// @inheritdoc ITokenEscrow
    function deposit(uint256 amount) external returns (bool) {
        address account = _sender();
        _deposit(account, amount, account);
        return true;
    }

    /// @inheritdoc ITokenEscrow
    function depositFor(uint256 amount, address target) external returns (bool) {
        _deposit(_sender(), amount, target);
        return true;
    }

    /// @inheritdoc ITokenEscrow
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external returns (bool) {
        require(amounts.length == targets.length, LengthMismatch(amounts.length, targets.length));
        address account = _sender();
        for (uint256 i = 0; i < amounts.length; ++i) {
            _deposit(account, amounts[i], targets[i]);
        }
        return true;
    }

    /// @inheritdoc ITokenEscrow
    function depositWithPermit(
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bool) {
        address account = _sender();
        // Whoever saw the permit may have used it already: then the allowance is there, and that is all it takes.
        try IERC20Permit(address(TOKEN)).permit(account, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(account, amount, account);
        return true;
    }

    /// @inheritdoc ITokenSpender
    /// @dev With data, which must be a call of `matchOrders` whose requester is `sender`: deposits, then matches.
    function receiveApproval(
        address sender,
        uint256 amount,
        address token,
        bytes calldata data
    ) external returns (bool) {
        require(msg.sender == address(TOKEN) && token == msg.sender, OnlyToken(msg.sender, address(TOKEN)));
        _deposit(sender, amount, sender);
        if (data.length > 0) _matchFor(sender, data);
        return true;
    }

    function _deposit(address from, uint256 amount, address target) private {
        // A token that calls back meanwhile finds nothing to spend yet, and no surplus to recover.
        _raiseSupply(amount);
        bool moved = SafeERC20.trySafeTransferFrom(TOKEN, from, address(this), amount);
        require(moved, TokenTransferFailed(from, address(this), amount));
        _issue(target, amount);
    }

    /* WITHDRAWALS */

    /// @inheritdoc IEscrow
    function withdraw(uint256 amount) external returns (bool) {
        _withdraw(amount, _sender());
        return true;
    }

    /// @inheritdoc IEscrow
    function withdrawTo(uint256 amount, address target) external returns (bool) {
        _withdraw(amount, target);
        return true;
    }

    /// @inheritdoc IEscrow
    function recover() external returns (uint256 surplus) {
        _checkOwner();
        surplus = TOKEN.balanceOf(address(this)) - _supply;
        _mint(_ownership.owner, surplus);
    }

    function _withdraw(uint256 amount, address target) private {
        require(target != address(this), IERC20Errors.ERC20InvalidReceiver(target));
        _redeem(_sender(), amount);
        bool moved = SafeERC20.trySafeTransfer(TOKEN, target, amount);
        require(moved, TokenTransferFailed(address(this), target, amount));
        // After the tokens went, for a token that calls back meanwhile.
        _supply -= amount;
    }

    /* DEPOSIT AND MATCH */

    /// @dev The call of `matchOrders` is made as it came, by the Hub to itself.
    function _matchFor(address sender, bytes calldata data) private {
        bytes4 selector = bytes4(data);
        require(selector == IDeals.matchOrders.selector, UnsupportedOperation(selector));
        require(_requesterOf(data[4:]) == sender, CallerIsNotTheRequester());
        (bool success, bytes memory answer) = address(this).delegatecall(data);
        if (success) return;
        require(answer.length > 0, OperationFailed());
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @dev Decoded as `matchOrders` itself will read it.
    function _requesterOf(bytes calldata orders) private pure returns (address) {
        RequestOrder calldata request;
        assembly ("memory-safe") {
            request := add(orders.offset, calldataload(add(orders.offset, 96)))
        }
        return request.requester;
    }
}
